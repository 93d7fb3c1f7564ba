"""A database for one test: whatever happens in the test, it is dropped or emptied, and its store closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from services.vault.audit import DATABASE as AUDIT
from shared.storage import PyMongoError, Store
from tests.support.namespaces import is_used_again

_DROP_S: Final = 60
"""Time for which dropping is repeated: a process that was killed in a transaction keeps its locks for some seconds."""


@asynccontextmanager
async def own_database(mongo_url: str, name: str, *, timeout_s: float = 5.0) -> AsyncIterator[Store]:
    """Open a store on the database `name`; drop the database at the end, or empty it for the next test."""
    async with Store.open(mongo_url, name, timeout_s=timeout_s) as store:
        try:
            yield store
        finally:
            await drop_database(store)


async def drop_database(store: Store) -> None:
    """Drop the store's database, again and again while locks of a killed process prevent it.

    One of a namespace that the next test uses again stays, and is emptied after the test.
    """
    if is_used_again(store.db.name.partition("_")[0]):
        return
    async with asyncio.timeout(_DROP_S):
        while True:
            try:
                if store.db.name.endswith("_vault"):
                    await store.db.client.drop_database(f"{store.db.name}_{AUDIT}")
                await store.db.client.drop_database(store.db.name)
            except PyMongoError:
                await asyncio.sleep(0.1)
            else:
                return
