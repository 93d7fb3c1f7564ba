"""Duration of a draw beside the time of library and database alone: python -m tests.bench.bench_draw [entries]

Without a number: one million and ten million. Each figure stands beside its limit in the same run:

- rank and allocate, beside np.sort of as many 64-bit numbers and bare AES over as many ids (nobody can do without), all
  of them in processor time;
- the frozen list written to MongoDB in chunks and read back, beside a plain scan of as many single documents;
- freezing out of single documents, beside the same scan;
- results written (outcomes, events, one transaction for 2,000 entries), beside bare inserts of as many documents.

Peak memory is that of a process which does nothing but hold the list, rank and allocate.
"""

import asyncio
import hashlib
import itertools
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from deploy.demo.rehearsal import SAMPLE
from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.frozen_list import Choices, FrozenList
from services.lottery.allocation.tickets import DrawnOrder
from services.lottery.draw import collections as draws
from services.lottery.draw.dice_taking import DiceTaking
from services.lottery.draw.freeze import FreezeService
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.randomness_entry import RandomnessService
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.entry import receipt_key
from services.lottery.draw.run import DrawRunner
from services.lottery.keys import LotteryKeys
from services.lottery.results.publish import ResultPublisher
from services.lottery.rules import ClassRule, Rules
from services.lottery.slips import SlipSigner
from shared import logging
from shared.campaign import load_campaign
from shared.clock import FixedClock
from shared.ids import DrawId, new_application_id, new_token
from shared.receipts import candidates
from shared.storage import OUTBOX, Store
from tests.support.chance import acts_of, as_rehearsal, entered, value_of
from tests.support.executed_approvals import pinned_key_of_the_tests
from tests.support.lottery_harness import say_searched
from tests.support.service_keys import keys_dir, keys_in_environment

T = TypeVar("T")

CAMPAIGN = as_rehearsal(load_campaign(SAMPLE))
CLASSES = [ClassRule(c.id, c.capacity, c.starts, c.ends, c.waiting) for c in CAMPAIGN.classes]
RULES = Rules(CAMPAIGN.draw.max_wins, CAMPAIGN.draw.preferences)
KEY = hashlib.sha256(b"bench").digest()
SINGLE_DOCUMENTS = 200_000
"""Entries for what goes through single documents; the rates are what counts."""


def frozen_list(count: int) -> FrozenList:
    """Entries with one to three of the seven classes in every order, as many as a whole country may send."""
    random = np.random.default_rng(1)
    choice_lists: list[Choices] = [
        tuple((each.id, CAMPAIGN.classes[at].seats[0]) for at, each in chosen)
        for length in (1, 2, 3)
        for chosen in itertools.permutations(list(enumerate(CAMPAIGN.classes)), length)
    ]
    ids = np.sort(random.integers(0, 2**63, count, dtype=np.uint64)).astype(">u8")
    whole = np.column_stack([ids, random.integers(0, 2**63, count, dtype=np.uint64).astype(">u8")])
    return FrozenList(
        whole.tobytes(), random.integers(0, len(choice_lists), count, dtype=np.uint32), tuple(choice_lists)
    )


def print_rate(what: str, seconds: float, count: int, limit: float | None = None) -> None:
    beside = f"   {seconds / limit:5.2f} × the limit" if limit else ""
    print(f"{what:64} {seconds:9.3f} s {count / seconds / 1e6:9.3f} M/s{beside}")


def timed(work: Callable[[], object], times: int = 3) -> float:
    """Return the processor time of the best of a few runs in one thread, which other work disturbs least."""
    best = float("inf")
    for _ in range(times):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


async def awaited(work: Awaitable[T]) -> tuple[float, T]:
    started = time.perf_counter()
    done = await work
    return time.perf_counter() - started, done


def in_memory(count: int) -> None:
    frozen = frozen_list(count)
    numbers = np.random.default_rng(2).integers(0, 2**63, count, dtype=np.uint64)
    sort = timed(lambda: np.sort(numbers))
    print_rate("limit: np.sort of as many uint64", sort, count)
    print_rate("bare AES-256 over as many ids", timed(lambda: bare_aes(frozen.ids)), count)
    print_rate("rank: tickets and order", timed(lambda: DrawnOrder(KEY, frozen.ids)), count, sort)
    many = [ClassRule(c.id, c.capacity * (count // 10_000), c.starts, c.ends, c.waiting) for c in CLASSES]
    free = Rules(RULES.max_wins, preferences=False)
    for what, classes, rules in (
        ("745 seats", CLASSES, RULES),
        (f"{745 * (count // 10_000):,} seats", many, RULES),
        ("745 seats, no preferences", CLASSES, free),
    ):
        print_rate(f"rank and allocate, {what}", timed(partial(allocate, KEY, frozen, classes, rules)), count, sort)


def bare_aes(ids: bytes | memoryview) -> None:
    decryptor = Cipher(algorithms.AES256(KEY), modes.ECB()).decryptor()  # noqa: S305  (the draw's own permutation)
    into = bytearray((8 << 20) + 15)
    for start in range(0, len(ids), 8 << 20):
        decryptor.update_into(ids[start : start + (8 << 20)], into)


def peak_memory(count: int) -> None:
    """Run in a separate process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        peak = pool.apply(_peak, (count,))
    print(f"{'peak memory of a process that ranks and allocates':64} {peak:9.0f} MiB")


def _peak(count: int) -> float:
    frozen = frozen_list_small_steps(count)
    allocate(KEY, frozen, CLASSES, RULES)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def frozen_list_small_steps(count: int) -> FrozenList:
    """Read `frozen_list` without the memory that making it takes."""
    table = frozen_list(1).table
    random, ids = np.random.default_rng(1), bytearray()
    for _ in range(0, count, 1 << 16):
        ids += random.bytes(16 << 16)
    lists = np.resize(np.arange(len(table), dtype=np.uint32), count)
    return FrozenList(memoryview(ids)[: 16 * count], lists, table)


async def in_the_database(url: str, count: int) -> None:
    store = Store.open(url, "kuji_bench", timeout_s=60)
    await store.ensure(draws.collections())
    await DrawRepository(store).ensure([CAMPAIGN.id])
    singles = min(count, SINGLE_DOCUMENTS)
    documents = await single_documents(store, singles)
    scan = await plain_scan(store)
    print_rate(f"limit: plain cursor scan of {singles:,} documents", scan, singles)
    await chunks(store, count, scan * count / singles)
    await steps_of_a_draw(store, documents, scan)
    await store.close()


async def single_documents(store: Store, count: int) -> list[dict[str, Any]]:
    frozen = frozen_list_small_steps(count)
    documents = []
    for at in range(count):
        receipt = next(candidates(KEY, "web", new_application_id()))
        choices = [{"class_id": class_id, "seats": seats} for class_id, seats in frozen.choices(at)]
        documents.append({
            "_id": receipt_key(CAMPAIGN.id, receipt), "campaign": CAMPAIGN.id, "state": "accepted", "channel": "web",
            "receipt": receipt, "version": 1, "revision": 1, "entry": frozen.id(at).hex(), "proof_sha256": "0" * 64,
            "token": new_token(), "verdict": None, "choices": choices, "refused": [], "reasons": [],
        })  # fmt: skip
    for start in range(0, count, 10_000):
        await store.db[draws.ENTRIES].insert_many(documents[start : start + 10_000], ordered=False)
    return documents


async def plain_scan(store: Store) -> float:
    async def scan() -> int:
        return len(await store.db[draws.ENTRIES].find({"campaign": CAMPAIGN.id}, {"choices": 1}).to_list(None))

    return min([(await awaited(scan()))[0] for _ in range(3)])


async def chunks(store: Store, count: int, scan: float) -> None:
    frozen, draw = frozen_list(count), DrawId("bench-1")
    written, _ = await awaited(ListRepository(store).put(draw, frozen))
    print_rate("the frozen list written in chunks, with its leaves' hashes", written, count)
    read, _ = await awaited(ListRepository(store).read(draw))
    print_rate("the frozen list read", read, count, scan)


async def steps_of_a_draw(store: Store, documents: Sequence[dict[str, Any]], scan: float) -> None:
    count, clock, keys = len(documents), FixedClock(CAMPAIGN.draw.at), LotteryKeys(keys_dir())
    campaigns = {CAMPAIGN.id: CAMPAIGN}

    async def present() -> Draw:
        return await DrawRepository(store).get(CAMPAIGN.id)

    await roll(store, [each["_id"] for each in documents])
    await say_searched(store, CAMPAIGN.id)
    took, _ = await awaited(
        FreezeService(store, keys, clock, campaigns, pinned_key_of_the_tests()).freeze(await present())
    )
    print_rate("freeze: judge, close, write the list, sign", took, count, scan)
    manifest = (await present()).manifest
    events = entered(manifest, acts_of(manifest.dice_rule))
    await store.transact(lambda uow: DiceTaking(store, clock).on_entered(events, uow))
    await RandomnessService(store, clock).enter_beacon(await present(), value_of(manifest.beacon.round), "bench")
    took, _ = await awaited(DrawRunner(store, keys, clock).run_if_possible(await present()))
    print_rate("draw: read, rank, allocate, transcript", took, count, scan)
    bare = await bare_inserts(store, documents)
    print_rate("limit: bare inserts of as many documents", bare, count)
    took, _ = await awaited(ResultPublisher(store, SlipSigner(keys, campaigns)).publish_if_drawn(await present()))
    print_rate("results: outcomes, passes, events, transactions", took, count, bare)
    print(f"{'events in the outbox':64} {await store.db[OUTBOX].count_documents({}):9}")


async def roll(store: Store, ids: Sequence[str]) -> None:
    part = {"_id": f"{CAMPAIGN.id}:1", "campaign": CAMPAIGN.id, "part": 1, "parts": 1, "total": len(ids)}
    await store.db[draws.ROLL_PARTS].insert_one(part)
    lines = [
        {"_id": each, "campaign": CAMPAIGN.id, "version": 1, "line": hashlib.sha256(each.encode()).hexdigest()}
        for each in ids
    ]
    await store.db[draws.ROLL].insert_many(lines, ordered=False)


async def bare_inserts(store: Store, documents: Sequence[dict[str, Any]]) -> float:
    async def insert() -> None:
        for start in range(0, len(documents), 2_000):
            await store.db["bare"].insert_many(documents[start : start + 2_000], ordered=False)

    return (await awaited(insert()))[0]


@contextmanager
def mongodb() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory() as folder,
        keys_in_environment(Path(folder) / "service-keys"),
        Watchdog() as watchdog,
    ):
        servers = Servers(Path(folder), watchdog=watchdog)
        servers.start()
        try:
            yield servers.mongo_url
        finally:
            servers.stop()


def main(counts: Sequence[int]) -> None:
    logging.configure("bench", "error")
    for count in counts:
        print(f"-- {count:,} entries")
        in_memory(count)
        peak_memory(count)
        with mongodb() as url:
            asyncio.run(in_the_database(url, count))


if __name__ == "__main__":
    main([int(sys.argv[1])] if len(sys.argv) > 1 else [1_000_000, 10_000_000])
