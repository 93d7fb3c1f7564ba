from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.processes import Watchdog
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.service_keys import KeyFolders
from services.vault.closeout import repository as closeouts
from services.vault.printroom import repository as print_repository
from shared.contracts import SERVICES
from shared.messaging import Bus
from shared.messaging.topology import declare, remove
from shared.settings import ServiceSettings
from shared.signing import SigningKey
from shared.storage import Store
from tests.support.attacked_installation import Installation
from tests.support.closeout_harness import CloseOutOffice, wire
from tests.support.messaging_harness import MessagingHarness
from tests.support.private_broker import PASSWORD, private_broker
from tests.support.service_keys import keys_dir
from tests.support.vault_parts import parts


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, watchdog: Watchdog) -> Iterator[RabbitMQ]:
    with private_broker(tmp_path_factory.mktemp("attacked-broker"), watchdog) as broker:
        yield broker


@pytest.fixture
async def harness(amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[MessagingHarness]:
    """Declare the topology of one test on the shared broker."""
    async with MessagingHarness(amqp_url, mongo_url, namespace) as harness:
        yield harness


@pytest.fixture
async def buses(
    broker: RabbitMQ, mongo_url: str, namespace: str, tmp_path: Path
) -> AsyncIterator[Callable[[str], Awaitable[Bus]]]:
    """Make the bus of a service with the service's own account on the broker."""
    async with AsyncExitStack() as stack:

        async def connect(service: str) -> Bus:
            store = Store.open(mongo_url, f"{namespace}_{service}")
            stack.push_async_callback(store.close)
            await store.ensure()
            settings = ServiceSettings(
                amqp_url=SecretStr(broker.url(service, PASSWORD)),
                mongo_url=SecretStr(mongo_url),
                mongo_database=f"{namespace}_{service}",
                state_dir=tmp_path,
                service_keys_dir=keys_dir(),
            )
            bus = Bus(settings, service, store)
            stack.push_async_callback(bus.drain)
            return bus

        yield connect


@pytest.fixture
async def office(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[CloseOutOffice]:
    """Return the vault's close-out, in the database that `harness` names for the vault."""
    collections = [*print_repository.collections(), *closeouts.collections()]
    async with parts(mongo_url, namespace, tmp_path, collections) as vault:
        wired = wire(vault, tmp_path)
        await wired.repository.ensure([vault.campaign.id])
        yield wired


@pytest.fixture
async def installation(broker: RabbitMQ, mongo_url: str, tmp_path: Path) -> Installation:
    """Build an installation whose services hold their own private key only; its queues are empty."""
    folders = KeyFolders.below(tmp_path / "keys", SERVICES)
    folders.make()
    await remove(broker.url(), "")
    await declare(broker.url())
    return Installation(broker, mongo_url, folders, tmp_path, SigningKey.generate())
