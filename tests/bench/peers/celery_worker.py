"""The work on Celery: `celery -A tests.bench.peers.celery_worker worker`. A task is acknowledged when it is done."""

import os
from typing import Any

from celery import Celery

from tests.bench.peers import job

app = Celery("peer", broker=os.environ[job.AMQP_URL])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True},
    worker_hijack_root_logger=False,
)


@app.task
def take(application_id: str, sealed: str) -> None:
    """Open, store and hand on."""
    enter.delay(application_id, job.take(application_id, sealed))


@app.task
def enter(application_id: str, choices: list[dict[str, Any]]) -> None:
    """Enter in the list."""
    job.enter(application_id, choices)
