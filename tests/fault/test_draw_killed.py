"""Lottery processes are killed (SIGKILL) before each single write of a draw; others take over where they stopped.

No list is frozen twice, no result is drawn or published twice, none is missing, and the transcript verifies.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from services.lottery import scheduler
from services.lottery.draw import collections as draws
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.transcript_repository import TranscriptRepository
from services.lottery.keys import LotteryKeys
from services.lottery.places import repository as places
from services.lottery.results import publish
from services.lottery.verification.transcript_checks import verify_transcript
from shared.campaign import Campaign
from shared.clock import FixedClock
from shared.ids import CampaignId
from shared.storage import OUTBOX
from tests.support.applicants import new_applicant
from tests.support.draw_builders import sample_campaign
from tests.support.draw_process import (
    LONGEST_S,
    SHORT_LEASE_S,
    Orders,
    begun,
    killed_at_each_write,
    taken_back,
    until_said,
)
from tests.support.lottery_harness import Office, Town, everybody_is_in, new_office
from tests.support.service_keys import keys_dir

PEOPLE: Final = 130
"""Applicants: enough for results in two parts."""
FEWEST_WRITES: Final = 15
"""Gate, list, manifest, dice, transcript and results take at least so many writes and commits."""


@dataclass(frozen=True)
class DrawHarness:
    """Database for many campaigns, and the orders of the processes that work on it."""

    orders: Orders
    offices: tuple[Office, Office]

    async def campaign(self, number: int) -> Campaign:
        """Return a campaign that has received all its applications."""
        made = self.orders.campaign.model_copy(update={"id": CampaignId(f"killed-{number}")})
        store = self.offices[0].store
        await DrawRepository(store).ensure([made.id])
        people = tuple(new_applicant(made.id) for _ in range(PEOPLE))
        await everybody_is_in(Town(made, FixedClock(self.orders.at), self.offices, people))
        return made

    def survivors(self, campaign: Campaign) -> list[Office]:
        orders, keys = self.orders, LotteryKeys(keys_dir())
        return [new_office(orders.url, orders.database, keys, FixedClock(orders.at), campaign) for _ in range(2)]


@pytest.fixture
async def harness(
    mongo_url: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DrawHarness]:
    monkeypatch.setattr(scheduler, "LEASE_S", SHORT_LEASE_S)
    monkeypatch.setattr(publish, "PARTS_AT_ONCE", 1)
    campaign, keys = sample_campaign(), LotteryKeys(keys_dir())
    orders = Orders(mongo_url, f"{namespace}_lottery", tmp_path, campaign, campaign.draw.at)
    offices = [new_office(mongo_url, orders.database, keys, FixedClock(orders.at), campaign) for _ in range(2)]
    async with offices[0].store, offices[1].store:
        await offices[0].store.ensure([*draws.collections(), *places.collections()])
        yield DrawHarness(orders, (offices[0], offices[1]))


async def test_killed_before_any_write_of_a_draw_another_ends_it_the_same(harness: DrawHarness):
    killed = await _killed_everywhere(harness)
    assert len(killed) >= FEWEST_WRITES
    async with asyncio.TaskGroup() as endings:
        for campaign in killed:
            endings.create_task(_ended_by_two(harness, campaign))
    for campaign in killed:
        await _holds(harness, campaign)


async def test_processes_whose_clocks_differ_draw_once(harness: DrawHarness):
    """Run three processes whose clocks differ by up to an hour; lease and states keep the draw single."""
    campaign = await harness.campaign(0)
    clocks = [harness.orders.at + timedelta(minutes=skew) for skew in (-10, 0, 60)]
    processes = [begun(replace(harness.orders, campaign=campaign, at=clock)) for clock in clocks]
    for process in processes:
        await asyncio.to_thread(process.join, LONGEST_S)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    await _holds(harness, campaign)


async def _killed_everywhere(harness: DrawHarness) -> list[Campaign]:
    """Return a campaign for each write of a draw, whose process was killed before that write."""

    async def orders_of(number: int) -> Orders:
        return replace(harness.orders, campaign=await harness.campaign(number))

    killed = await killed_at_each_write(orders_of)
    await taken_back(harness.offices[0].store, harness.orders.folder)
    return [orders.campaign for orders in killed]


async def _ended_by_two(harness: DrawHarness, campaign: Campaign) -> None:
    one, other = harness.survivors(campaign)
    async with one.store, other.store, asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as both:
        for survivor in (one, other):
            both.create_task(until_said(survivor, campaign))


async def _holds(harness: DrawHarness, campaign: Campaign) -> None:
    """Check that there is one list and one transcript, and that each result was published once and agrees."""
    store = harness.offices[0].store
    draw = await DrawRepository(store).get(campaign.id)
    transcript = json.loads(await TranscriptRepository(store).get(draw.id))
    assert [event["event"] for event in transcript["history"]] == ["frozen", "drawn"]
    assert json.loads(transcript["manifest"])["rows"] == PEOPLE
    assert verify_transcript(transcript).passed
    lines = await store.db[OUTBOX].find({"name": "results.published"}).to_list(None)
    events = [body for line in lines if (body := json.loads(line["body"]))["campaign"] == campaign.id]
    assert sorted(event["part"] for event in events) == [1, 2]
    assert _won(item for event in events for item in event["items"]) == {
        name: sorted(won) for name, won in transcript["winners"].items() if won
    }


def _won(items: Any) -> dict[str, list[str]]:
    results = list(items)
    assert len({item["entry"] for item in results}) == len(results) == PEOPLE
    won: dict[str, list[str]] = defaultdict(list)
    for item in results:
        for outcome in item["outcomes"]:
            if outcome["outcome"] == "won":
                won[outcome["class_id"]].append(item["entry"])
    return {name: sorted(ids) for name, ids in won.items()}
