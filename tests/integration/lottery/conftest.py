"""A town whose lottery runs in three processes on one database."""

from collections.abc import AsyncIterator

import pytest

from tests.support.draw_builders import sample_campaign
from tests.support.lottery_harness import Town, town_of


@pytest.fixture
async def town(mongo_url: str, namespace: str) -> AsyncIterator[Town]:
    async with town_of(sample_campaign(), mongo_url, f"{namespace}_lottery") as made:
        yield made
