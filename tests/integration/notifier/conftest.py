"""Fixtures of the notifier's integration tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.namespaces import lend_namespace
from tests.support.notifier_harness import NotifierHarness


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield a namespace whose collections and queues the tests of a file use one after another."""
    with lend_namespace(request) as name:
        yield name


@pytest.fixture
async def harness(amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[NotifierHarness]:
    async with NotifierHarness(amqp_url, mongo_url, namespace, tmp_path) as built:
        yield built


@pytest.fixture
async def prepared(harness: NotifierHarness) -> NotifierHarness:
    """Return the harness with a prepared database and no running instance."""
    await harness.prepare_database()
    return harness
