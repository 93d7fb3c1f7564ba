"""Staff see the counts of the present draw, which the service computes in batches."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from services.lottery.draw import grouping
from services.lottery.draw.collections import ENTRIES
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.grouping import GroupCount
from services.lottery.draw.rules.entry import Entry
from services.lottery.draw.rules.states import DrawState
from services.lottery.keys import LotteryKeys
from services.lottery.statistics import counts as counting
from services.lottery.statistics.counts import DrawCounts
from services.lottery.statistics.overview import DrawOverview
from services.lottery.statistics.rules.demand import ClassDemand
from services.lottery.statistics.rules.timeline import StepState
from shared.ids import CampaignId, Receipt
from tests.support.lottery_harness import PEOPLE, Town, drawn, everybody_is_in
from tests.support.places_harness import KIDS, After
from tests.support.service_keys import keys_dir


def seen(town: Town) -> DrawOverview:
    return DrawOverview(town.office.store, town.clock, LotteryKeys(keys_dir()))


@pytest.mark.parametrize("at_once", [7, 200_000])
async def test_demand_is_the_choices_of_all_entries_however_they_are_counted(
    town: Town, monkeypatch: pytest.MonkeyPatch, at_once: int
):
    monkeypatch.setattr(grouping, "BATCH_SIZE", at_once)
    await everybody_is_in(town)
    nothing = Entry(Receipt("W-7K3M-9Q2P-6"), town.campaign.id, "accepted", 1, "web", 1)
    await town.office.store.db[ENTRIES].insert_one(dict(nothing.to_document()))
    lines = await DrawCounts(town.office.store).demand(town.campaign, await seen(town).course(town.campaign))
    assert lines is not None
    found = town.office.store.db[ENTRIES].find({"campaign": town.campaign.id})
    asked = Counter(choice["class_id"] for entry in await found.to_list(None) for choice in entry["choices"])
    assert {line.class_id: line.entries for line in lines} == asked
    assert sum(line.entries for line in lines) == sum(1 + number % 3 for number in range(PEOPLE))


async def test_results_are_those_of_the_present_draw_and_a_given_up_one_is_named(town: Town):
    await drawn(town)
    await town.office.publish()
    view, counts = seen(town), DrawCounts(town.office.store)
    first = await view.course(town.campaign)
    lines = await counts.results(town.campaign, first)
    assert lines is not None
    assert sum(line.won + line.waiting + sum(line.lost.values()) for line in lines) == sum(
        1 + n % 3 for n in range(PEOPLE)
    )
    assert all(0 <= line.free <= line.capacity for line in lines)
    *before, last = first.steps
    assert {step.state for step in before} == {StepState.DONE}
    assert last.state is StepState.NOW  # nobody is known to be told
    await town.office.redraw("wrong list", reopen=True)
    again = await view.course(town.campaign)
    assert (again.number, again.state, again.entries) == (2, DrawState.OPEN, None)
    (past,) = again.past
    assert (past.number, past.reason, past.actor, past.approval[:2]) == (1, "wrong list", "yamada", "a-")
    assert await counts.results(town.campaign, again) is None


async def test_a_page_does_not_wait_for_a_long_count(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(counting, "PAGE_WAIT_S", 0.05)
    await everybody_is_in(town)
    counts, may_end = DrawCounts(town.office.store), asyncio.Event()
    count_choices = EntryRepository.count_choices

    async def slowly(self: EntryRepository, campaign: CampaignId) -> AsyncIterator[GroupCount]:
        await may_end.wait()
        async for group in count_choices(self, campaign):
            yield group

    monkeypatch.setattr(EntryRepository, "count_choices", slowly)
    course = await seen(town).course(town.campaign)
    assert await counts.demand(town.campaign, course) is None
    may_end.set()
    lines: tuple[ClassDemand, ...] | None = None
    while lines is None:
        lines = await counts.demand(town.campaign, course)
    assert sum(line.entries for line in lines) > PEOPLE


async def test_what_people_give_up_is_seen_by_class_and_in_the_history(town: Town):
    await drawn(town)
    await town.office.publish()
    after, counts = After.of(town), DrawCounts(town.office.store)
    held, *_ = await after.of_class(KIDS, "held")
    await after.answer(held, "withdraw")
    course = await seen(town).course(town.campaign)
    lines = await counts.places(town.campaign, course)
    assert lines is not None
    kids = next(line for line in lines if line.class_id == KIDS)
    assert (kids.gone, kids.free) == (1, kids.capacity - kids.held - kids.offered)
    newest = course.history[course.moves - 1]
    assert (newest.name, newest.class_id, newest.actor) == ("withdrawn", KIDS, "applicant")
    assert [event.name for event in course.history[course.moves :]] == ["drawn", "frozen"]
