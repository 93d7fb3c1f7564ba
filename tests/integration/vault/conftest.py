"""Fixtures of the vault's integration tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.vault.closeout import repository as ledgers
from services.vault.closeout.erasure import Limits
from services.vault.printroom import repository as print_repository
from tests.support.closeout_harness import Office, wire
from tests.support.vault_harness import Installation
from tests.support.vault_parts import parts


@pytest.fixture
async def installation(amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Installation]:
    async with Installation(amqp_url, mongo_url, namespace, tmp_path) as prepared:
        yield prepared


@pytest.fixture
async def office(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Office]:
    collections = [*print_repository.collections(), *ledgers.collections()]
    async with parts(mongo_url, namespace, tmp_path, collections) as vault:
        wired = wire(vault, tmp_path, Limits(answers_s=60, backup_horizon_days=0))
        await wired.ledger.ensure([vault.campaign.id])
        yield wired
