"""The work on dramatiq: `dramatiq tests.bench.peers.dramatiq_worker`. A message is acknowledged when it is done."""

import os
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from tests.bench.peers import job

dramatiq.set_broker(RabbitmqBroker(url=os.environ[job.AMQP_URL], confirm_delivery=True))


@dramatiq.actor
def take(application_id: str, sealed: str) -> None:
    """Open, store and hand on."""
    enter.send(application_id, job.take(application_id, sealed))


@dramatiq.actor
def enter(application_id: str, choices: list[dict[str, Any]]) -> None:
    """Enter in the list."""
    job.enter(application_id, choices)
