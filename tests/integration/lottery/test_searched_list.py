"""The list is frozen only when the vault has compared all its applications with each other."""

import pytest

from services.lottery.draw import handlers
from services.lottery.draw.freeze import ListIncompleteError
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.blockers import waits
from services.lottery.draw.rules.states import DrawState
from shared.contracts import DuplicatesSearched
from tests.support.applicants import roll_of
from tests.support.lottery_harness import Town, accepted, searched


async def test_a_list_that_was_not_searched_waits_and_the_searched_one_is_frozen(town: Town):
    office, people = town.office, town.people
    closed, waited = roll_of(town.campaign.id, people), []
    await office.store.transact(lambda uow: handlers.on_accepted(accepted(town, people), uow))
    early = await searched(office.store, town.campaign.id)
    await office.store.transact(lambda uow: handlers.on_accepted(accepted(town, people[:1], revision=2), uow))
    await office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
    late = await searched(office.store, town.campaign.id)

    async def freeze() -> None:
        await office.freezing.freeze(await office.draw())

    async def take(event: DuplicatesSearched) -> None:
        await office.store.transact(lambda uow: handlers.on_duplicates_searched([event], uow))

    for event in (None, early):
        if event:
            await take(event)
        with pytest.raises(ListIncompleteError):
            await freeze()
        readiness = await RollRepository(office.store).readiness(town.campaign.id)
        waited += [wait.code for wait in waits(await office.draw(), town.campaign, readiness, town.clock.now())]
    assert waited == ["search", "search"]
    await take(late)
    await take(early)
    await freeze()
    assert (await office.draw()).state is DrawState.FROZEN


async def test_a_verdict_after_the_search_needs_another_one(town: Town):
    office, closed = town.office, roll_of(town.campaign.id, town.people)
    await office.store.transact(lambda uow: handlers.on_accepted(accepted(town, town.people), uow))
    await office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
    await office.search()
    await office.store.transact(lambda uow: handlers.on_accepted(accepted(town, town.people[:1], revision=2), uow))
    with pytest.raises(ListIncompleteError):
        await office.freezing.freeze(await office.draw())


async def test_the_schedule_freezes_the_list_when_the_search_comes(town: Town):
    office, closed = town.office, roll_of(town.campaign.id, town.people)
    await office.store.transact(lambda uow: handlers.on_accepted(accepted(town, town.people), uow))
    await office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
    for _ in range(2):
        await office.scheduler.advance(town.campaign)
    assert (await office.draw()).state is DrawState.OPEN
    await office.search()
    for _ in range(2):
        await office.scheduler.advance(town.campaign)
    assert (await office.draw()).state is DrawState.FROZEN


async def test_people_may_freeze_a_list_that_was_not_searched_by_approval(town: Town):
    office, closed = town.office, roll_of(town.campaign.id, town.people)
    await office.store.transact(lambda uow: handlers.on_accepted(accepted(town, town.people), uow))
    await office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
    await office.freeze_incomplete("the vault is out of order")
    assert (await office.draw()).state is DrawState.FROZEN


async def test_an_empty_list_needs_no_search(town: Town):
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([roll_of(town.campaign.id, ())], uow))
    assert (await RollRepository(town.office.store).readiness(town.campaign.id)).searched
