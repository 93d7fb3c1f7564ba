"""Deleting in chunks: all that matches and nothing else, whatever the size of a step, also after an interruption."""

from collections.abc import AsyncIterator

import pytest

from shared.storage import Store, delete_in_chunks


@pytest.fixture
async def store(mongo_url: str, namespace: str) -> AsyncIterator[Store]:
    store = Store.open(mongo_url, f"{namespace}_deletion")
    yield store
    await store.db.client.drop_database(f"{namespace}_deletion")
    await store.close()


@pytest.mark.parametrize("chunk", [1, 7, 30, 1000])
async def test_all_that_matches_is_deleted_and_nothing_else(store: Store, chunk: int) -> None:
    documents = store.db["things"]
    await documents.insert_many([{"_id": f"{n}", "campaign": "a" if n % 2 else "b"} for n in range(60)])
    assert await delete_in_chunks(documents, {"campaign": "a"}, chunk) == 30
    assert await documents.count_documents({"campaign": "a"}) == 0
    assert await documents.count_documents({"campaign": "b"}) == 30
    assert await delete_in_chunks(documents, {"campaign": "a"}, chunk) == 0
