"""Fixtures of the vault's integration tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.vault.installation import Installation


@pytest.fixture
async def installation(amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Installation]:
    async with Installation(amqp_url, mongo_url, namespace, tmp_path) as prepared:
        yield prepared
