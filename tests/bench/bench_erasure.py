"""Erasure of a campaign at the vault: python -m tests.bench.bench_erasure [people]

Uses KUJI_MONGO_URL, or starts private servers. From the order to the destruction of the key the logs are searched for
every person, 500 bytes of log for each; then the documents are deleted, four or more for a person. Beside it stands, in
the same run, what it cannot be faster than: reading the logs, and one bare deletion of as many small documents by id.
"""

import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Final

import uvloop

from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from services.vault.closeout import repository as closeouts
from services.vault.closeout.measuring import ERASED
from services.vault.closeout.rules.stages import Stage
from services.vault.identities.person import Person
from services.vault.printroom import repository as print_repository
from shared import logging
from shared.erasure import collections as erasure_collections
from shared.storage.deletion import CHUNK
from tests.support.closeout_harness import PEOPLE, CloseOutOffice, wire
from tests.support.service_keys import keys_in_environment
from tests.support.vault_parts import parts

SIZE: Final = 20_000
LINE_BYTES: Final = 500
_AT_ONCE: Final = 2_000
_UNREADABLE_S: Final = 1.0
_RATE: Final = 40_000


def person(number: int) -> Person:
    """Return one of many invented people, each with a name, a telephone number and an address of her own."""
    name = f"架空{chr(0x4E00 + number % 5000)} {chr(0x5E00 + number // 5000)}子"
    return Person(
        name, "1600021", f"新宿区歌舞伎町{number}番", f"03{number:08d}", None, "p3", f"n{number}@example.jp", None
    )


def write_log(path: Path, people: int) -> int:
    """Write lines like those of the services, with ids of their own; return the bytes."""
    filler = "x" * (LINE_BYTES - 140)
    with path.open("w", encoding="utf-8") as log:
        for _ in range(people):
            log.write(f'{{"event":"verdict-written","id":"app_{secrets.token_hex(16)}","tail":"{filler}"}}\n')
    return path.stat().st_size


async def seconds(work: Awaitable[object]) -> float:
    """Return how long the work takes."""
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def steps(office: CloseOutOffice, until: Stage) -> None:
    """Carry out steps of the erasure until this stage."""
    while await office.stage() is not until:
        await office.one_step()


async def bare_deletion(office: CloseOutOffice, documents: int) -> float:
    """Delete as many documents with nothing in them, in steps of the same size; return documents a second."""
    bare = office.vault.store.db["bare"]
    for start in range(0, documents, CHUNK):
        await bare.insert_many([{"_id": number} for number in range(start, min(documents, start + CHUNK))])
    started = time.perf_counter()
    for start in range(0, documents, CHUNK):
        await bare.delete_many({"_id": {"$in": list(range(start, start + CHUNK))}})
    return documents / (time.perf_counter() - started)


async def measure(mongo_url: str, folder: Path, people: int) -> list[str]:
    """Return a line for each figure."""
    more = [*print_repository.collections(), *closeouts.collections(), *erasure_collections()]
    async with parts(mongo_url, "bench_erasure", folder, more) as vault:
        office = wire(vault, folder)
        await office.repository.ensure([vault.campaign.id])
        await vault.admit(PEOPLE)
        await office.give_back()
        for start in range(0, people, _AT_ONCE):
            await vault.admit([person(number) for number in range(start, min(people, start + _AT_ONCE))])
        size = write_log(office.log, people)
        documents = sum([await vault.store.db[name].count_documents({}) for name in ERASED])
        reading = await seconds(asyncio.to_thread(office.log.read_bytes))
        await office.order()
        unreadable = await seconds(steps(office, Stage.DESTROYED))
        processor = time.process_time()
        deleting = await seconds(steps(office, Stage.EMPTIED))
        processor = time.process_time() - processor
        bare = await bare_deletion(office, documents)
        return [
            f"{people:,} people, {documents:,} documents at the vault, {size / 1e6:.0f} MB of logs",
            f"unreadable {unreadable:.2f} s after the order (goal {_UNREADABLE_S:g}); reading the logs {reading:.2f} s",
            f"deleted: {documents / deleting:,.0f} documents/s (goal {_RATE:,}); bare deletion {bare:,.0f}/s",
            f"processor time of the vault for deleting: {processor / documents * 1e6:.1f} us a document",
        ]


async def main() -> None:
    """Print the figures."""
    logging.configure("bench", "error")
    people = int(sys.argv[1]) if len(sys.argv) > 1 else SIZE
    with tempfile.TemporaryDirectory() as name, Watchdog() as watchdog:
        folder = Path(name)
        with keys_in_environment(folder / "service-keys"), Servers(folder / "servers", watchdog=watchdog) as servers:
            for line in await measure(servers.mongo_url, folder, people):
                sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
