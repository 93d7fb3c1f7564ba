"""The address that takes applications: `python -m tests.bench.peers.web celery|dramatiq PORT`.

A plain FastAPI endpoint, as the tutorials of both queues show it: keep, send a task, answer 202.
"""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from tests.bench.peers import job


class Body(BaseModel):
    """Sealed application."""

    application_id: str
    sealed: str


def build(queue: str) -> FastAPI:
    """Return the app that sends its tasks by this queue."""
    app = FastAPI(strict_content_type=False)
    if queue == "celery":
        from tests.bench.peers import celery_worker  # noqa: PLC0415

        send = celery_worker.take.delay
    else:
        from tests.bench.peers import dramatiq_worker  # noqa: PLC0415

        send = dramatiq_worker.take.send

    @app.post("/applications", status_code=202)
    def receive(body: Body) -> dict[str, str]:
        job.receive(body.application_id, body.sealed)
        send(body.application_id, body.sealed)
        return {"status": "received"}

    return app


if __name__ == "__main__":
    uvicorn.run(build(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
