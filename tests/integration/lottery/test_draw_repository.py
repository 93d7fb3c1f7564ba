"""The repository of draws enforces the table of states, and the scheduler reads a draw once per tick."""

from collections.abc import Awaitable, Callable

import pytest

from services.lottery.draw.collections import DRAWS
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Closing, Draw
from services.lottery.draw.rules.states import DrawState, WrongStateError
from shared.ids import CampaignId
from shared.storage import UnitOfWork
from tests.support.lottery_harness import Town, everybody_is_in

Transition = Callable[[UnitOfWork, Draw], Awaitable[None]]


async def _fix_manifest(uow: UnitOfWork, draw: Draw) -> None:
    await DrawRepository(uow).fix_manifest(draw, "{}", "signature", {"event": "frozen"})


async def _fix_result(uow: UnitOfWork, draw: Draw) -> None:
    await DrawRepository(uow).fix_result(draw, [{"event": "frozen"}])


async def _finish_publishing(uow: UnitOfWork, draw: Draw) -> None:
    await DrawRepository(uow).finish_publishing(draw, 0)


TRANSITIONS: dict[DrawState, Transition] = {
    DrawState.FREEZING: _fix_manifest,
    DrawState.FROZEN: _fix_result,
    DrawState.DRAWN: _finish_publishing,
}
"""Transitions by the state from which they lead."""


@pytest.mark.parametrize("state", DrawState)
async def test_a_transition_is_possible_from_the_state_before_only(town: Town, state: DrawState):
    store, campaign = town.office.store, town.campaign.id
    for source, transition in TRANSITIONS.items():
        await store.db[DRAWS].update_one({"_id": campaign}, {"$set": {"state": state}})
        draw = await town.office.draw()
        if state is source:
            await store.transact(lambda uow, draw=draw, transition=transition: transition(uow, draw))
            assert (await town.office.draw()).state.reached(source)
        else:
            with pytest.raises(WrongStateError, match=f"the draw is {state}"):
                await store.transact(lambda uow, draw=draw, transition=transition: transition(uow, draw))


@pytest.mark.parametrize("state", [state for state in DrawState if state is not DrawState.OPEN])
async def test_only_an_open_draw_is_closed(town: Town, state: DrawState):
    await town.office.store.db[DRAWS].update_one({"_id": town.campaign.id}, {"$set": {"state": state}})
    draw = await town.office.draw()
    assert await DrawRepository(town.office.store).close(draw, Closing(town.clock.now(), None, None)) is None


async def test_a_draw_that_replaced_another_one_is_not_moved_by_a_process_that_read_the_first(town: Town):
    await everybody_is_in(town)
    await town.office.close()
    first = await town.office.draw()
    await town.office.store.db[DRAWS].update_one({"_id": town.campaign.id}, {"$set": {"draw": "another"}})
    with pytest.raises(WrongStateError):
        await town.office.store.transact(lambda uow: _fix_manifest(uow, first))


async def test_the_scheduler_reads_the_draw_once_per_tick(town: Town, monkeypatch: pytest.MonkeyPatch):
    reads, find = list[CampaignId](), DrawRepository.find

    async def counting(self: DrawRepository, campaign: CampaignId) -> Draw | None:
        reads.append(campaign)
        return await find(self, campaign)

    async def advance_from(state: DrawState) -> None:
        assert (await town.office.draw()).state is state
        reads.clear()
        await town.office.scheduler.advance(town.campaign)
        assert reads == [town.campaign.id]

    await everybody_is_in(town)
    monkeypatch.setattr(DrawRepository, "find", counting)
    await advance_from(DrawState.OPEN)
    await town.office.enter_chance()
    await advance_from(DrawState.FROZEN)
    await advance_from(DrawState.DRAWN)
    assert (await town.office.draw()).state is DrawState.PUBLISHED
