from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.rabbitmq import Ports, RabbitMQ
from shared.contracts import SERVICES
from tests.support.messaging_harness import House

PASSWORD = "only-for-tests"


@pytest.fixture
async def house(amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[House]:
    async with House(amqp_url, mongo_url, namespace) as house:
        yield house


@pytest.fixture(scope="session")
def own_broker(tmp_path_factory: pytest.TempPathFactory, watchdog: Watchdog) -> Iterator[RabbitMQ]:
    """A broker that a test may stop, freeze and start again; it was set up from our definitions file alone."""
    broker = RabbitMQ(tmp_path_factory.mktemp("own-broker"), Ports(*free_ports(3)), watchdog)
    broker.start(dict.fromkeys(SERVICES, PASSWORD))
    try:
        broker.ready()
        yield broker
    finally:
        broker.stop()


@pytest.fixture
async def own_house(own_broker: RabbitMQ, mongo_url: str, namespace: str) -> AsyncIterator[House]:
    """On the broker that may be mistreated; short timeouts."""
    async with House(own_broker.url(), mongo_url, namespace, timeout_s=1.0) as house:
        yield house
