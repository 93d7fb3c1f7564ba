"""Fixtures of the notifier's integration tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.notifier_harness import NotifierHarness


@pytest.fixture
async def harness(amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[NotifierHarness]:
    async with NotifierHarness(amqp_url, mongo_url, namespace, tmp_path) as built:
        yield built


@pytest.fixture
async def prepared(harness: NotifierHarness) -> NotifierHarness:
    """Return the harness with a prepared database and no running instance."""
    await harness.prepare_database()
    return harness
