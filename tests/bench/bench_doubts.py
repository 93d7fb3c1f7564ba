"""Search for second applications among many people: python -m tests.bench.bench_doubts [people]

Uses KUJI_MONGO_URL, or starts private servers. The search over everybody, which runs before the freeze, stands beside
what it cannot be faster than in the same run: reading as many documents and opening as many ciphertexts.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Final

import uvloop

from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.search import DuplicateSearch
from services.vault.applications.search_again import SearchAgain
from services.vault.identities.repository import COLLECTION, StoredIdentity
from shared import logging
from tests.support.doubts_harness import DoubtsDesk, doubts_desk
from tests.support.duplicate_search import READINGS
from tests.support.invented_households import invent
from tests.support.vault_parts import CAMPAIGN

PEOPLE: Final = 20_000
_CHUNK: Final = 2_000


async def seconds(work: Awaitable[object]) -> float:
    """Return how long the work takes."""
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def measure(mongo_url: str, folder: Path, people: int) -> list[str]:
    """Return a line for each figure."""
    async with doubts_desk(mongo_url, "bench_doubts", folder) as desk:
        for seed in range(people // _CHUNK):
            again = _CHUNK * 6 // 100
            invented = invent(seed + 21, size=_CHUNK - again, again=again)
            await desk.register.admit([one.person for one in invented.applicants])
        staff = desk.staff
        search = DuplicateSearch(staff.store, staff.keystore, staff.audit, READINGS)
        sweep = SearchAgain(staff.store, staff.keystore, staff.audit, staff.clock, search)
        contents = await ApplicationRepository(staff.store).contents(CAMPAIGN)
        limit = await seconds(_open_all(desk))
        first = await seconds(sweep.search(CAMPAIGN, contents))
        second = await seconds(sweep.search(CAMPAIGN, contents))
        doubts = await staff.store.db["doubts"].count_documents({})
        return [
            f"search over {len(contents):,} contents, {doubts:,} doubts found and written: {first:.1f} s",
            f"the same again, nothing new: {second:.1f} s",
            f"limit: reading and opening as many: {limit:.1f} s",
        ]


async def _open_all(desk: DoubtsDesk) -> None:
    keys = desk.register.keys
    async for document in desk.staff.store.db[COLLECTION].find({}, batch_size=_CHUNK):
        StoredIdentity.from_document(document).decrypt(keys)


async def main() -> None:
    """Print the figures."""
    logging.configure("bench", "error")
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    with tempfile.TemporaryDirectory() as name, Watchdog() as watchdog:
        folder = Path(name)
        with Servers(folder / "servers", watchdog=watchdog) as servers:
            for line in await measure(servers.mongo_url, folder, people):
                sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
