"""A process that fell asleep over its work wakes up in another draw, and harms neither that one nor the one before."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.lottery.draw import freeze as freezing
from services.lottery.draw import handlers
from services.lottery.draw import repository as ledger
from services.lottery.draw.randomness_entry import Dice
from services.lottery.draw.redraw import Correction
from services.lottery.draw.transitions import WrongState, draw_of
from shared.ids import new_application_id
from tests.support.draw_builders import DICE
from tests.support.lottery_harness import WITNESSES, Office, Town, accepted, drawn, everybody_is_in, said

GIVEN = Dice(DICE, DICE, WITNESSES)


@dataclass
class Nap:
    """Whoever comes by first falls asleep before its work until it is woken."""

    asleep: asyncio.Event = field(default_factory=asyncio.Event)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def before(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def napping(*given: Any, **named: Any) -> Any:
            if not self.asleep.is_set():
                self.asleep.set()
                await self.woken.wait()
            return await work(*given, **named)

        return napping


@dataclass(frozen=True)
class Sleeper:
    """`end` wakes it and gives what its work came to."""

    nap: Nap
    work: asyncio.Task[Any]

    async def end(self) -> Any:
        self.nap.woken.set()
        return await self.work


async def asleep(office: Office, work: Awaitable[Any], monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    """`office` has begun `work`, and sleeps just before it would change anything."""
    nap = Nap()
    monkeypatch.setattr(office.store, "transact", nap.before(office.store.transact))
    sleeper = Sleeper(nap, asyncio.ensure_future(work))
    await nap.asleep.wait()
    return sleeper


async def begun_anew(town: Town, *, reopen: bool = False) -> None:
    correction = Correction("dice fell off the table", "a", "b", reopen)
    await town.offices[1].redrawing.redraw(town.campaign.id, correction)


async def test_a_manifest_is_signed_for_its_own_draw_only(town: Town, monkeypatch: pytest.MonkeyPatch):
    await everybody_is_in(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    await slow.freezing.close(name)
    sleeper = await asleep(slow, slow.freezing.finish(name), monkeypatch)
    await fast.freezing.finish(name)
    await begun_anew(town)
    assert await sleeper.end() is False
    draw = await draw_of(fast.store, name)
    assert (draw["state"], draw["number"], "manifest" in draw) == ("freezing", 2, False)


async def test_a_result_is_of_its_own_draw_only(town: Town, monkeypatch: pytest.MonkeyPatch):
    await everybody_is_in(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    await fast.freezing.freeze(name)
    await fast.chance.give_dice(name, GIVEN, "yamada")
    sleeper = await asleep(slow, slow.drawing.draw_if_possible(name), monkeypatch)
    await fast.drawing.draw_if_possible(name)
    await begun_anew(town)
    await fast.freezing.finish(name)
    assert await sleeper.end() is False
    assert (await draw_of(fast.store, name))["state"] == "frozen"


async def test_results_are_said_of_their_own_draw_only(town: Town, monkeypatch: pytest.MonkeyPatch):
    await drawn(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    sleeper = await asleep(slow, slow.publishing.publish_if_drawn(name), monkeypatch)
    await fast.publishing.publish_if_drawn(name)
    await begun_anew(town)
    await fast.freezing.finish(name)
    await fast.chance.give_dice(name, GIVEN, "yamada")
    await fast.drawing.draw_if_possible(name)
    assert await sleeper.end() is False
    assert {event["draw"] for event in await said(town)} == {f"{name}-1"}
    assert (await draw_of(fast.store, name)).get("parts_said", 0) == 0


async def test_dice_that_came_while_a_draw_was_given_up_stay_in_its_record(town: Town, monkeypatch: pytest.MonkeyPatch):
    await everybody_is_in(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    await fast.freezing.freeze(name)
    given_up = Correction("a class was missing", "a", "b", reopen=True)
    sleeper = await asleep(slow, slow.redrawing.redraw(name, given_up), monkeypatch)
    await fast.chance.give_dice(name, GIVEN, "yamada")
    await sleeper.end()
    [past] = await fast.store.db[ledger.PAST_DRAWS].find({"campaign": name}).to_list(None)
    assert (past["dice"], [each["actor"] for each in past["given"]]) == (DICE, ["yamada"])


async def test_a_draw_that_went_on_meanwhile_is_not_given_up_by_whoever_saw_it_before(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    await everybody_is_in(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    await fast.freezing.freeze(name)
    await fast.chance.give_dice(name, GIVEN, "yamada")
    given_up = Correction("dice fell off the table", "a", "b", reopen=False)
    sleeper = await asleep(slow, slow.redrawing.redraw(name, given_up), monkeypatch)
    await fast.drawing.draw_if_possible(name)
    with pytest.raises(WrongState):
        await sleeper.end()
    assert (await draw_of(fast.store, name))["number"] == 1


async def test_an_erasure_that_was_asked_for_meanwhile_is_not_forgotten(town: Town, monkeypatch: pytest.MonkeyPatch):
    await everybody_is_in(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    await fast.freezing.freeze(name)
    given_up = Correction("dice fell off the table", "a", "b", reopen=False)
    sleeper = await asleep(slow, slow.redrawing.redraw(name, given_up), monkeypatch)
    asked = {"erasure": {"id": "0", "state": "requested"}}
    await fast.store.db[ledger.DRAWS].update_one({"_id": name}, {"$set": asked})
    with pytest.raises(WrongState):
        await sleeper.end()
    assert "erasure" in await draw_of(fast.store, name)


async def test_a_published_list_stays_as_it_was_when_a_late_writer_wakes_up(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    await everybody_is_in(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    await slow.freezing.close(name)
    nap = Nap()
    monkeypatch.setattr(freezing, "write_list", nap.before(freezing.write_list))
    sleeper = Sleeper(nap, asyncio.ensure_future(slow.freezing.finish(name)))
    await nap.asleep.wait()
    await fast.freezing.finish(name)
    before = await rows(fast, town, 1)
    await begun_anew(town, reopen=True)
    late = accepted(town, (new_application_id(), new_application_id()))
    await fast.store.transact(lambda uow: handlers.on_accepted(late, uow))
    assert await sleeper.end() is False
    assert await rows(fast, town, 1) == before


async def rows(office: Office, town: Town, number: int) -> str:
    answer = await office.published.rows(town.campaign.id, number)
    manifest = json.loads((await office.published.draw(town.campaign.id, number))["manifest"])
    text = "".join([str(piece) async for piece in answer.body_iterator])
    assert text.count("\n") == manifest["rows"]
    return text
