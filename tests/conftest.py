"""Real servers for the tests that need them: one RabbitMQ and one MongoDB a session, a namespace of its own per test.

Where a Docker engine answers, testcontainers brings them (images from RABBITMQ_IMAGE and MONGO_IMAGE); else those
named by KUJI_AMQP_URL and KUJI_MONGO_URL are used; else private ones are started. Unit tests start none.
"""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from services.vault.keys import root_file
from services.vault.people.password_hashes import COST
from tests.support.containers import Containers, docker_answers
from tests.support.namespaces import FAILED, new_namespace, remove_resting
from tests.support.service_keys import keys_in_environment
from tests.support.soft_token import SoftToken
from tests.support.temporary_folders import folder_in_memory

_TESTS = Path(__file__).resolve().parent

settings.register_profile("whole", deadline=None)  # a busy machine is no mistake
settings.register_profile("quick", deadline=None, max_examples=15)
settings.load_profile(os.environ.get("KUJI_TEST_PROFILE", "whole"))

if memory := folder_in_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))  # pytest reads it when it makes its first folder

_HEAVY_FIRST = ("checks", "fault", "e2e", "attack", "integration", "contract", "unit")
"""Folders by the time that one file takes: a long file that starts last would keep one worker waiting for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files of heavy folders first; the order within a folder stays."""
    items.sort(key=lambda item: _HEAVY_FIRST.index(item.path.relative_to(_TESTS).parts[0]))


def pytest_collection_finish() -> None:
    """Leave what was imported and collected to no collector of cycles: it stays, and each look at it takes 0.3 s."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def watchdog() -> Iterator[Watchdog]:
    with Watchdog() as watching:
        yield watching


@pytest.fixture(scope="session", autouse=True)
def service_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Service keys of the session, in KUJI_SERVICE_KEYS_DIR for every service and every process that a test starts."""
    with keys_in_environment(tmp_path_factory.mktemp("service-keys")):
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passphrases() -> Iterator[None]:
    """Let a keystore that a test creates derive its key in 2 ms instead of 100, and passwords be hashed as fast.

    Both store their parameters with what they made. Services that run as processes of their own work at full cost.
    """
    assert root_file.SCRYPT["n"] >= 2**15, "the cost for services is too low (RFC 7914, section 2)"
    assert COST == {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 4}, "the cost is not that of RFC 9106 §4"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(root_file.SCRYPT, "n", 2**9)
        patch.setitem(COST, "time_cost", 1)
        patch.setitem(COST, "memory_cost", 64)
        yield


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, watchdog: Watchdog) -> Iterator[Servers]:
    """Decide where the servers of the tests come from. No other fixture decides it."""
    home = tmp_path_factory.mktemp("servers")
    if docker_answers() and "KUJI_AMQP_URL" not in os.environ:
        with Containers() as containers:
            given = {"KUJI_AMQP_URL": containers.amqp_url, "KUJI_MONGO_URL": containers.mongo_url}
            with Servers(home, watchdog=watchdog, environment=given) as started:
                yield started
                remove_resting()
    else:
        with Servers(home, watchdog=watchdog) as started:
            yield started
            remove_resting()


@pytest.fixture(scope="session")
def amqp_url(servers: Servers) -> str:
    """Return the broker's URL for a user with all permissions."""
    return servers.amqp_url


@pytest.fixture(scope="session")
def mongo_url(servers: Servers) -> str:
    """Return the URL of a replica set for a user with all permissions."""
    return servers.mongo_url


@pytest.fixture(scope="session")
def mailbox(servers: Servers) -> Path:
    """Return the folder in which the mail server stores accepted mails."""
    return servers.mailbox


@pytest.fixture(scope="session")
def smtp_port(servers: Servers) -> int:
    return servers.smtp_port


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    """Return a token for the vault's root key, which the library of this process finds."""
    made = SoftToken.make(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def namespace() -> str:
    """Keeps the queues and databases of one test apart from all others."""
    return new_namespace()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note of a test that it failed, for its fixtures."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(autouse=True)
def _keep_umask() -> Iterator[None]:
    """Give the process its file mode mask back: commands that run inside the tests set their own."""
    mask = os.umask(0o022)
    os.umask(mask)
    yield
    os.umask(mask)
