"""Fixtures of the vault's integration tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.vault.closeout import repository as closeouts
from services.vault.printroom import repository as print_repository
from shared.erasure import collections as erasure_collections
from tests.support.closeout_harness import CloseOutOffice, wire
from tests.support.identity_builders import person
from tests.support.namespaces import lend_namespace
from tests.support.telephone_harness import TelephoneDesk, telephone_desk
from tests.support.vault_harness import Installation
from tests.support.vault_parts import Known, parts


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield a namespace whose collections and queues the tests of a file use one after another."""
    with lend_namespace(request) as name:
        yield name


@pytest.fixture
async def installation(amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Installation]:
    async with Installation(amqp_url, mongo_url, namespace, tmp_path) as prepared:
        yield prepared


@pytest.fixture
async def office(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[CloseOutOffice]:
    collections = [*print_repository.collections(), *closeouts.collections(), *erasure_collections()]
    async with parts(mongo_url, namespace, tmp_path, collections) as vault:
        wired = wire(vault, tmp_path)
        await wired.repository.ensure([vault.campaign.id])
        yield wired


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[TelephoneDesk]:
    """Yield the telephone desk; tests of another desk have a fixture of their own of this name."""
    async with telephone_desk(mongo_url, namespace, tmp_path) as running_desk:
        yield running_desk


@pytest.fixture
async def people(desk: TelephoneDesk) -> list[Known]:
    """Return two people with applications, the second without a mailbox."""
    return await desk.register.admit([person(), person(name="山田 次郎", phone="0399998888", email=None)])
