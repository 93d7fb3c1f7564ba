from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.rabbitmq import Ports, RabbitMQ
from shared.contracts import SERVICES
from tests.support.messaging_harness import MessagingHarness

PASSWORD = "only-for-tests"


@pytest.fixture
async def harness(amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[MessagingHarness]:
    async with MessagingHarness(amqp_url, mongo_url, namespace) as harness:
        yield harness


@pytest.fixture(scope="session")
def own_broker(tmp_path_factory: pytest.TempPathFactory, watchdog: Watchdog) -> Iterator[RabbitMQ]:
    """Start a broker from our definitions file alone, for a test that may stop, freeze and restart it."""
    broker = RabbitMQ(tmp_path_factory.mktemp("own-broker"), Ports(*free_ports(3)), watchdog)
    broker.start(dict.fromkeys(SERVICES, PASSWORD))
    try:
        broker.ready()
        yield broker
    finally:
        broker.stop()


@pytest.fixture
async def own_harness(own_broker: RabbitMQ, mongo_url: str, namespace: str) -> AsyncIterator[MessagingHarness]:
    """On the broker that may be mistreated; short timeouts."""
    async with MessagingHarness(own_broker.url(), mongo_url, namespace, timeout_s=2.0) as harness:
        yield harness
