"""Lottery processes are killed (SIGKILL) before each single write of a further round; others end it the same, once."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from services.lottery import scheduler
from services.lottery.draw import collections as draws
from services.lottery.draw import handlers
from services.lottery.draw.rules.states import DrawState
from services.lottery.keys import LotteryKeys
from services.lottery.places import repository as places
from services.lottery.places.repository import PLACES
from services.lottery.verification.chain_checks import check_chain
from services.lottery.verification.transcript_checks import verify_transcript
from shared.approvals import used
from shared.clock import FixedClock
from shared.contracts import BATCH_LIMIT, ApplicationsAccepted
from shared.storage import OUTBOX, Store
from tests.support.applicants import roll_of
from tests.support.draw_builders import sample_campaign
from tests.support.draw_process import (
    LONGEST_S,
    SHORT_LEASE_S,
    Orders,
    killed_at_each_write,
    taken_back,
    until_round_said,
)
from tests.support.lottery_harness import Town, new_office, town_of
from tests.support.places_harness import FOOTBALL, KIDS, After, leave_class
from tests.support.service_keys import keys_dir

PEOPLE: Final = 230
"""Applicants, who all ask for one class of ten seats: enough for a round whose results are published in two parts."""
LAST_OF_FIRST_DRAW: Final = 2_000_000
"""Number below which the slips of the first draw are."""
FEWEST_WRITES: Final = 15
"""Approval, list, places, manifest, dice, transcript and results take at least so many writes and commits."""


@dataclass(frozen=True)
class Round:
    """State after a further round: transcripts, held places, and the events of the outbox by name."""

    transcript: dict[str, Any]
    first: dict[str, Any]
    held: set[str]
    events: dict[str, list[dict[str, Any]]]

    @classmethod
    async def of(cls, after: After) -> "Round":
        """Return the state after the present draw."""
        draw = await after.office.draw()
        assert (draw.number, draw.state) == (2, DrawState.PUBLISHED)
        held = {one["_id"] async for one in after.store.db[PLACES].find({"state": "held"})}
        return cls(await after.transcript(2), await after.transcript(1), held, await events_of(after.store))

    @property
    def campaign(self) -> str:
        """Campaign of the round."""
        return str(json.loads(self.transcript["manifest"])["campaign"])

    @property
    def slips(self) -> dict[str, dict[str, Any]]:
        """Slips of the round by entry."""
        return {one["slip"]["entry"]: one["slip"] for one in self.items("places.offered") if one["kind"] == "place-won"}

    def items(self, name: str) -> list[dict[str, Any]]:
        """Return the items of all events of a name."""
        return [item for event in self.events.get(name, ()) for item in event["items"]]


async def events_of(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return the events in the outbox by name, in order."""
    events: dict[str, list[dict[str, Any]]] = {}
    for line in await store.db[OUTBOX].find().sort("_id", 1).to_list(None):
        events.setdefault(line["name"], []).append(json.loads(line["body"]))
    return events


@pytest.fixture
async def after(mongo_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[After]:
    """Yield a published draw, after which everybody who had a place in one class has given it up."""
    monkeypatch.setattr(scheduler, "LEASE_S", SHORT_LEASE_S)
    async with town_of(sample_campaign(), mongo_url, f"{namespace}_lottery") as made:
        town = replace(made, people=made.people[:PEOPLE])
        await everybody_asks_for_the_same_class(town)
        await town.office.freeze()
        await town.office.enter_chance()
        assert await town.office.run()
        assert await town.office.publish()
        found = After.of(town)
        await leave_class(found, KIDS)
        yield found


async def everybody_asks_for_the_same_class(town: Town) -> None:
    """Let every applicant ask for the class of ten seats, and for another one after it."""
    name, seats = town.campaign.id, {one.id: one.seats[0] for one in town.campaign.classes}
    items = [one.accepted((each, seats[each]) for each in (KIDS, FOOTBALL)) for one in town.people]
    verdicts = [
        ApplicationsAccepted(campaign=name, items=tuple(items[at : at + BATCH_LIMIT]))
        for at in range(0, len(items), BATCH_LIMIT)
    ]
    await town.office.store.transact(lambda uow: handlers.on_accepted(verdicts, uow))
    closed = roll_of(name, town.people)
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))


async def test_killed_before_any_write_of_a_further_round_another_ends_it_the_same(
    after: After, mongo_url: str, namespace: str, tmp_path: Path
):
    before = {one["_id"] async for one in after.store.db[PLACES].find({"state": "held"})}

    async def orders_of(number: int) -> Orders:
        copy = f"{namespace}_lottery{number}"
        await copied(after.store, mongo_url, copy)
        return Orders(mongo_url, copy, tmp_path, after.campaign, after.campaign.draw.at, further=True)

    killed = await killed_at_each_write(orders_of)
    assert len(killed) >= FEWEST_WRITES
    await taken_back(after.store, tmp_path)
    undisturbed = await ended_by_two(await orders_of(0))
    holds(undisturbed, before)
    async with asyncio.TaskGroup() as endings:
        ended = [endings.create_task(ended_by_two(orders)) for orders in killed]
    for one in ended:
        holds(one.result(), before)
        same(one.result(), undisturbed)


async def copied(store: Store, url: str, database: str) -> None:
    """Copy the whole database, with the rules and indexes of its collections."""
    async with Store.open(url, database) as copy:
        await copy.ensure([*draws.collections(), *places.collections(), *used.collections()])
        for name in await store.db.list_collection_names():
            if documents := await store.db[name].find().to_list(None):
                await copy.db[name].insert_many(documents)


async def ended_by_two(orders: Orders) -> Round:
    """Let two further processes look after the round until it is published; return the state after it."""
    clock, keys = FixedClock(orders.at), LotteryKeys(keys_dir())
    one, other = (new_office(orders.url, orders.database, keys, clock, orders.campaign) for _ in range(2))
    async with one.store, other.store:
        async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as both:
            for survivor in (one, other):
                both.create_task(until_round_said(survivor, orders.campaign))
        return await Round.of(After.of(Town(orders.campaign, clock, (one, other), ())))


def holds(found: Round, before: set[str]) -> None:
    """Check that the round is verified, took nobody's place, and told every winner once, by a complete slip."""
    checks = [*verify_transcript(found.transcript).checks, *check_chain(found.transcript, [found.first])]
    assert [check.name for check in checks if not check.passed] == []
    assert [event["event"] for event in found.transcript["history"]] == ["frozen", "drawn"]
    assert json.loads(found.transcript["manifest"])["rows"] > BATCH_LIMIT, "its results are published in parts"
    won = found.transcript["winners"][KIDS]
    assert found.held == before | {f"{entry}/{KIDS}" for entry in won}
    assert len(found.events["results.published"]) == found.events["results.published"][0]["parts"], "the first draw's"
    assert [event["draw"] for event in found.events["draw.published"]] == [f"{found.campaign}-1", f"{found.campaign}-2"]
    told = [one["slip"] for one in found.items("places.offered") if one["kind"] == "place-won"]
    assert sorted(slip["entry"] for slip in told) == sorted(won)
    for slip in told:
        assert {one["class_id"] for one in slip["outcomes"]} == {KIDS, FOOTBALL}
        assert {one["class_id"] for one in slip["passes"]} == {
            one["class_id"] for one in slip["outcomes"] if one["outcome"] == "won"
        }
    issued = [(one["token"], one["n"]) for one in found.items("slips.issued") if one["n"] > LAST_OF_FIRST_DRAW]
    assert sorted(issued) == sorted((slip["token"], slip["n"]) for slip in told)


def same(found: Round, undisturbed: Round) -> None:
    """Check that the round ended as one that nobody killed: same transcript, places and slips."""
    assert found.transcript == undisturbed.transcript
    assert found.held == undisturbed.held
    assert found.slips == undisturbed.slips
