"""Collections are brought about at every start; a start changes only what is different."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.storage import Collection, Index, PyMongoError, Store
from tests.support.databases import own_database

FIRST = Collection("things", {"bsonType": "object", "properties": {"kind": {"enum": ["a"]}}}, (Index("kind"),))
SECOND = Collection("things", {"bsonType": "object", "properties": {"kind": {"enum": ["a", "b"]}}}, (Index("kind"),))


@pytest.fixture
async def store(mongo_url: str, namespace: str) -> AsyncIterator[Store]:
    async with own_database(mongo_url, namespace, timeout_s=5) as opened:
        yield opened


async def test_a_rule_that_changed_is_in_force_after_the_next_start(store: Store):
    await store.ensure([FIRST])
    with pytest.raises(PyMongoError):
        await store.db["things"].insert_one({"kind": "b"})
    await store.ensure([SECOND])
    await store.db["things"].insert_one({"kind": "b"})


async def test_a_start_does_not_wait_for_an_open_transaction(store: Store):
    """Leave a transaction open, as a killed process does for as long as the server keeps it."""
    await store.ensure([FIRST])
    async with await store.db.client.start_session() as session:
        session.start_transaction()
        await store.db["things"].insert_one({"kind": "a"}, session=session)
        async with asyncio.timeout(8):
            await store.ensure([FIRST])
        await session.abort_transaction()
