"""A town whose lottery runs in three processes on one database."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.draw_builders import sample_campaign
from tests.support.lottery_harness import Town, town_of
from tests.support.namespaces import lend_namespace


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield a namespace whose collections and queues the tests of a file use one after another."""
    with lend_namespace(request) as name:
        yield name


@pytest.fixture
async def town(mongo_url: str, namespace: str) -> AsyncIterator[Town]:
    async with town_of(sample_campaign(), mongo_url, f"{namespace}_lottery") as made:
        yield made
