"""Entries a second whose results are published with signed slips: python -m tests.bench.bench_results [entries]

Freezes and draws a list first (not counted), then publishes its results: outcomes, places, passes, slips, events, a
transaction for each 20 parts. Beside it, in the same run: bare inserts of as many documents, and one Ed25519 signature.
The processor time of this process and of MongoDB is given for one entry: it depends least on the neighbours.
"""

import asyncio
import os
import sys
import time
from dataclasses import dataclass

import psutil

from services.lottery.draw import collections as draws
from services.lottery.draw.dice_taking import DiceTaking
from services.lottery.draw.freeze import FreezeService
from services.lottery.draw.randomness_entry import RandomnessService
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.run import DrawRunner
from services.lottery.keys import LotteryKeys
from services.lottery.places import repository as places
from services.lottery.results.publish import ResultPublisher
from services.lottery.slips import SlipSigner
from shared import logging
from shared.clock import FixedClock
from shared.service import spare_collections
from shared.storage import OUTBOX, Store
from tests.bench.bench_draw import CAMPAIGN, bare_inserts, mongodb, roll, single_documents
from tests.support.chance import acts_of, entered, value_of
from tests.support.executed_approvals import pinned_key_of_the_tests
from tests.support.lottery_harness import say_searched
from tests.support.service_keys import keys_dir, service_key

ENTRIES = 50_000
SIGNATURES = 2_000


@dataclass(frozen=True)
class Spent:
    """Seconds on the wall, and of processors in this process and in MongoDB."""

    wall: float
    own: float
    mongod: float

    @classmethod
    def now(cls) -> "Spent":
        servers = [process for process in psutil.process_iter(["name"]) if process.info["name"] == "mongod"]
        mine = [one for one in servers if psutil.Process(os.getpid()) in one.parents()]
        own = psutil.Process().cpu_times()
        return cls(time.perf_counter(), own.user + own.system, sum(sum(one.cpu_times()[:2]) for one in mine))

    def since(self, before: "Spent") -> "Spent":
        return Spent(self.wall - before.wall, self.own - before.own, self.mongod - before.mongod)

    def show(self, what: str, count: int) -> None:
        each = f"{1e6 * self.own / count:6.1f} µs here, {1e6 * self.mongod / count:6.1f} µs in MongoDB for one"
        print(f"{what:44} {self.wall:8.3f} s {count / self.wall:9.0f} /s   {each}", flush=True)


async def measure(url: str, count: int) -> None:
    store, campaigns = Store.open(url, "kuji_bench_results", timeout_s=60), {CAMPAIGN.id: CAMPAIGN}
    await store.ensure([*draws.collections(), *places.collections()])
    await DrawRepository(store).ensure([CAMPAIGN.id])
    store.sign_events_with(service_key("lottery"))
    keys, clock = LotteryKeys(keys_dir()), FixedClock(CAMPAIGN.draw.at)
    documents = await single_documents(store, count)
    await draw(store, keys, clock, [each["_id"] for each in documents])
    begun = Spent.now()
    bare = await bare_inserts(store, documents)
    Spent.now().since(begun).show("limit: bare inserts of as many documents", count)
    begun = Spent.now()
    for _ in range(SIGNATURES):
        keys.signing.sign(bytes(700))
    Spent.now().since(begun).show("one Ed25519 signature", SIGNATURES)
    drawn = await DrawRepository(store).get(CAMPAIGN.id)
    spare_collections()  # as every service does at its start
    begun = Spent.now()
    assert await ResultPublisher(store, SlipSigner(keys, campaigns)).publish_if_drawn(drawn)
    results = Spent.now().since(begun)
    results.show("results with signed slips", count)
    events = await store.db[OUTBOX].count_documents({})
    print(f"{results.wall / bare:.2f} × bare inserts; {events} events in the outbox")
    await store.close()


async def draw(store: Store, keys: LotteryKeys, clock: FixedClock, receipts: list[str]) -> None:
    """Freeze the list and draw, as the scheduler does."""
    repository = DrawRepository(store)
    await roll(store, receipts)
    await say_searched(store, CAMPAIGN.id)
    freeze = FreezeService(store, keys, clock, {CAMPAIGN.id: CAMPAIGN}, pinned_key_of_the_tests())
    await freeze.freeze(await repository.get(CAMPAIGN.id))
    manifest = (await repository.get(CAMPAIGN.id)).manifest
    events = entered(manifest, acts_of(manifest.dice_rule))
    await store.transact(lambda uow: DiceTaking(store, clock).on_entered(events, uow))
    value = value_of(manifest.beacon.round)
    await RandomnessService(store, clock).enter_beacon(await repository.get(CAMPAIGN.id), value, "bench")
    await DrawRunner(store, keys, clock).run_if_possible(await repository.get(CAMPAIGN.id))


def main(count: int) -> None:
    logging.configure("bench", "error")
    with mongodb() as url:
        asyncio.run(measure(url, count))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
