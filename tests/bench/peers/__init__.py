"""The pipeline's work as a user would build it on a task queue, to compare with: Celery and dramatiq."""
