from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.processes import Watchdog
from deploy.local.rabbitmq import RabbitMQ
from tests.support.messaging_harness import MessagingHarness
from tests.support.private_broker import private_broker


@pytest.fixture
async def harness(amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[MessagingHarness]:
    async with MessagingHarness(amqp_url, mongo_url, namespace) as harness:
        yield harness


@pytest.fixture(scope="session")
def own_broker(tmp_path_factory: pytest.TempPathFactory, watchdog: Watchdog) -> Iterator[RabbitMQ]:
    with private_broker(tmp_path_factory.mktemp("own-broker"), watchdog) as broker:
        yield broker


@pytest.fixture
async def own_harness(own_broker: RabbitMQ, mongo_url: str, namespace: str) -> AsyncIterator[MessagingHarness]:
    """On the broker that may be mistreated; short timeouts."""
    async with MessagingHarness(own_broker.url(), mongo_url, namespace, timeout_s=2.0) as harness:
        yield harness
