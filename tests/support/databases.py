"""A database for one test: whatever happens in the test, it is dropped and its store closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from services.vault.audit import DATABASE as AUDIT
from shared.storage import PyMongoError, Store

_DROP_S: Final = 60
"""Time for which dropping is repeated: a process that was killed in a transaction keeps its locks for some seconds."""


@asynccontextmanager
async def own_database(mongo_url: str, name: str, *, timeout_s: float = 5.0) -> AsyncIterator[Store]:
    """Open a store on the database `name`; drop the database at the end."""
    async with Store.open(mongo_url, name, timeout_s=timeout_s) as store:
        try:
            yield store
        finally:
            await drop_database(store)


async def drop_database(store: Store) -> None:
    """Drop the store's database, again and again while locks of a killed process prevent it."""
    async with asyncio.timeout(_DROP_S):
        while True:
            try:
                if store.db.name.endswith("_vault"):
                    await store.db.client.drop_database(f"{store.db.name}_{AUDIT}")
                return await store.db.client.drop_database(store.db.name)
            except PyMongoError:
                await asyncio.sleep(0.1)
