"""A process that pauses while another draw begins changes neither the new draw nor the old one."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.lottery.draw import handlers
from services.lottery.draw.collections import DRAWS
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.rules.states import WrongStateError
from shared.approvals import ApprovalRefusedError
from shared.approvals.used import USED_APPROVALS
from tests.support.applicants import new_applicant
from tests.support.chance import DICE
from tests.support.lottery_harness import Office, Town, accepted, drawn, everybody_is_in, said


@dataclass
class Nap:
    """Makes the first caller pause before its work until it is woken."""

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
    """Process that pauses; `end` wakes it and returns the result of its work."""

    nap: Nap
    work: asyncio.Task[Any]

    async def end(self) -> Any:
        self.nap.woken.set()
        return await self.work


async def asleep(office: Office, work: Awaitable[Any], monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    """Begin `work` at `office` and return it paused just before its transaction."""
    nap = Nap()
    monkeypatch.setattr(office.store, "transact", nap.before(office.store.transact))
    sleeper = Sleeper(nap, asyncio.ensure_future(work))
    await nap.asleep.wait()
    return sleeper


async def begun_anew(town: Town, *, reopen: bool = False) -> None:
    await town.offices[1].redraw(reopen=reopen)


async def test_a_manifest_is_signed_for_its_own_draw_only(town: Town, monkeypatch: pytest.MonkeyPatch):
    await everybody_is_in(town)
    slow, fast, _ = town.offices
    await slow.close()
    sleeper = await asleep(slow, slow.finish(), monkeypatch)
    await fast.finish()
    await begun_anew(town)
    assert await sleeper.end() is False
    draw = await fast.draw()
    assert (draw.state, draw.number, draw.has_manifest) == ("freezing", 2, False)


async def test_a_result_is_of_its_own_draw_only(town: Town, monkeypatch: pytest.MonkeyPatch):
    await everybody_is_in(town)
    slow, fast, _ = town.offices
    await fast.freeze()
    await fast.enter_chance()
    sleeper = await asleep(slow, slow.run(), monkeypatch)
    await fast.run()
    await begun_anew(town)
    await fast.finish()
    assert await sleeper.end() is False
    assert (await fast.draw()).state == "frozen"


async def test_results_are_published_for_their_own_draw_only(town: Town, monkeypatch: pytest.MonkeyPatch):
    await drawn(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    sleeper = await asleep(slow, slow.publish(), monkeypatch)
    await fast.publish()
    await begun_anew(town)
    await fast.finish()
    await fast.enter_chance()
    await fast.run()
    assert await sleeper.end() is False
    assert {event["draw"] for event in await said(town)} == {f"{name}-1"}
    assert (await fast.draw()).parts_published == 0


async def test_an_approval_does_not_give_a_draw_up_whose_dice_came_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    await everybody_is_in(town)
    slow, fast, _ = town.offices
    await fast.freeze()
    sleeper = await asleep(slow, slow.redraw("a class was missing", reopen=True), monkeypatch)
    await fast.enter_chance()
    with pytest.raises(ApprovalRefusedError) as refused:
        await sleeper.end()
    draw = await fast.draw()
    assert (refused.value.reason, draw.number, draw.dice) == ("other-params", 1, DICE)
    assert await fast.store.db[USED_APPROVALS].count_documents({}) == 0


async def test_a_draw_that_advanced_meanwhile_is_not_given_up(town: Town, monkeypatch: pytest.MonkeyPatch):
    await everybody_is_in(town)
    slow, fast, _ = town.offices
    await fast.freeze()
    await fast.enter_chance()
    sleeper = await asleep(slow, slow.redraw(), monkeypatch)
    await fast.run()
    with pytest.raises(WrongStateError):
        await sleeper.end()
    assert (await fast.draw()).number == 1


async def test_an_erasure_that_was_asked_for_meanwhile_is_not_forgotten(town: Town, monkeypatch: pytest.MonkeyPatch):
    await everybody_is_in(town)
    name, (slow, fast, _) = town.campaign.id, town.offices
    await fast.freeze()
    sleeper = await asleep(slow, slow.redraw(), monkeypatch)
    asked = {"erasure": {"id": "0", "state": "requested"}}
    await fast.store.db[DRAWS].update_one({"_id": name}, {"$set": asked})
    with pytest.raises(WrongStateError):
        await sleeper.end()
    assert (await fast.draw()).is_erasing


async def test_a_published_list_stays_as_it_was_when_a_late_writer_wakes_up(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    await everybody_is_in(town)
    slow, fast, _ = town.offices
    await slow.close()
    nap = Nap()
    monkeypatch.setattr(ListRepository, "write", nap.before(ListRepository.write))
    sleeper = Sleeper(nap, asyncio.ensure_future(slow.finish()))
    await nap.asleep.wait()
    await fast.finish()
    before = await rows(fast, town, 1)
    await begun_anew(town, reopen=True)
    late = accepted(town, (new_applicant(town.campaign.id), new_applicant(town.campaign.id)))
    await fast.store.transact(lambda uow: handlers.on_accepted(late, uow))
    assert await sleeper.end() is False
    assert await rows(fast, town, 1) == before


async def rows(office: Office, town: Town, number: int) -> str:
    answer = await office.published.rows(town.campaign.id, number)
    manifest = json.loads((await office.published.draw(town.campaign.id, number)).manifest.line)
    text = "".join([str(piece) async for piece in answer.body_iterator])
    assert text.count("\n") == manifest["rows"]
    return text
