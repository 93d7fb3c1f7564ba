"""A broker for tests alone, with one account per service that has the permissions of the real installation."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.rabbitmq import Ports, RabbitMQ
from shared.contracts import SERVICES

PASSWORD: Final = "only-for-tests"


@contextmanager
def private_broker(folder: Path, watchdog: Watchdog) -> Iterator[RabbitMQ]:
    """Start a broker, with its management interface, from our definitions file; a test may stop, freeze, restart it."""
    broker = RabbitMQ(folder, Ports(*free_ports(4)), watchdog)
    broker.start(dict.fromkeys(SERVICES, PASSWORD))
    try:
        broker.ready()
        yield broker
    finally:
        broker.stop()
