"""A further round draws seats that stayed free, by an approval, and is checked with the draws before it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from services.lottery.draw import handlers
from services.lottery.draw.rules.states import FurtherRoundRunningError, WrongStateError
from services.lottery.places.corrections import RefusedApplication
from services.lottery.places.further_seats import FurtherRoundImpossibleError
from services.lottery.places.repository import PLACES
from services.lottery.promotion.states import PlaceState
from services.lottery.reception.repository import ReceptionRepository
from services.lottery.verification.chain_checks import check_chain
from services.lottery.verification.transcript_checks import verify_transcript
from shared.approvals import ApprovalKind, ApprovalRefusedError
from shared.contracts import ApplicationsAccepted, ApplicationsRejected, Choice
from shared.staff_roles import Role
from tests.support.applicants import new_applicant, roll_of
from tests.support.chance import DICE
from tests.support.draw_builders import sample_campaign
from tests.support.executed_approvals import presented
from tests.support.lottery_harness import Town, accepted, published_draws, town_of
from tests.support.places_harness import KIDS, After, leave_class, results_are_out

ROLLED_AGAIN = DICE[::-1]


async def play(town: Town) -> None:
    """Take a further round that was opened to its published results."""
    office = town.office
    assert await office.finish()
    await office.enter_chance(ROLLED_AGAIN)
    assert await office.run()
    assert await office.publish()


async def opened(town: Town) -> After:
    """Publish a draw, empty a class, and open a further round."""
    await results_are_out(town)
    after = After.of(town)
    await leave_class(after, KIDS)
    await town.office.open_further_round()
    return after


async def held_places(after: After) -> dict[str, dict[str, Any]]:
    """Return the held places by id."""
    return {one["_id"]: one for one in await after.store.db[PLACES].find({"state": "held"}).to_list(None)}


async def faults(after: After, *numbers: int) -> list[str]:
    """Return what fails of the last of these draws, and of its chain."""
    *earlier, last = [await after.transcript(number) for number in numbers]
    checks = [*verify_transcript(last).checks, *check_chain(last, earlier)]
    return [f"{check.name}: {check.text}" for check in checks if not check.passed]


async def test_seats_that_stayed_free_are_drawn_among_those_who_asked_for_them(town: Town):
    await results_are_out(town)
    after = After.of(town)
    left = {place["entry"] for place in await leave_class(after, KIDS)}
    before = await held_places(after)
    await town.office.open_further_round()
    await play(town)
    await after.settle()
    won = set((await after.transcript())["winners"][KIDS])
    assert await faults(after, 1, 2) == []
    assert won
    assert not won & left, "they gave it up"
    held = await held_places(after)
    assert before.items() <= held.items(), "an entry lost a place"
    assert held.keys() - before.keys() == {f"{entry}/{KIDS}" for entry in won}
    told = await after.notices("place-won")
    assert {notice["slip"]["entry"] for notice in told} == won
    assert {notice["slip"]["n"] for notice in told} == {2_000_001}
    assert (await published_draws(town))[1:] == [(f"{town.campaign.id}-2", None)], "the list is that of the draw before"
    assert {(token, n) for token, n in await after.issued() if n > 2_000_000} == {
        (notice["slip"]["token"], notice["slip"]["n"]) for notice in told
    }
    for notice in told:
        lines = {one["class_id"]: one for one in notice["slip"]["outcomes"]}
        assert (lines[KIDS]["outcome"], lines[KIDS]["reason"]) == ("won", "further-round")
        assert {one["class_id"] for one in notice["slip"]["passes"]} == {
            name for name, line in lines.items() if line["outcome"] == "won"
        }


async def test_places_stand_still_until_the_result_and_reception_admits_meanwhile(town: Town):
    after = await opened(town)
    name, held = town.campaign.id, list((await held_places(after)).values())
    roster = await ReceptionRepository(after.store).lines(name)
    with pytest.raises(FurtherRoundRunningError):
        await after.answer(held[0], "withdraw")
    await play(town)
    later = await ReceptionRepository(after.store).lines(name)
    before = {line.place_id for line in roster if line.place.state == "held"}
    won = {f"{entry}/{KIDS}" for entry in (await after.transcript())["winners"][KIDS]}
    assert {line.place_id for line in later if line.place.state == "held"} == before | won
    await after.answer(held[0], "withdraw")
    await after.settle()
    assert await faults(after, 1, 2) == []


async def test_a_place_of_the_round_is_given_up_and_passed_on_with_slips_of_higher_numbers(town: Town):
    after = await opened(town)
    await play(town)
    place = (await after.of_class(KIDS, "held"))[0]
    await after.answer(place, "withdraw")
    await after.settle()
    assert await faults(after, 1, 2) == []
    numbers = sorted(n for _, n in await after.issued() if n > 2_000_000)
    assert numbers[0] == 2_000_001
    assert numbers[-1] > 2_000_001


async def test_the_schedule_takes_a_further_round_through_all_its_states(town: Town):
    after = await opened(town)
    office = town.office
    for state in ("frozen", "frozen"):
        await office.scheduler.advance(town.campaign)
        assert (await office.draw()).state == state
    await office.enter_chance(ROLLED_AGAIN)
    for state in ("drawn", "published"):
        await office.scheduler.advance(town.campaign)
        assert (await office.draw()).state == state
    assert await faults(after, 1, 2) == []


async def test_an_approval_does_not_hold_after_a_place_has_moved(town: Town):
    await results_are_out(town)
    after, office = After.of(town), town.office
    await leave_class(after, KIDS)
    draw = await office.draw()
    seats = await office.further.seats(draw)
    assert seats is not None
    approval = presented(ApprovalKind.FURTHER_ROUND, town.campaign.id, seats.approval_params())
    await after.answer(next(iter((await held_places(after)).values())), "withdraw")
    await after.settle()
    with pytest.raises((ApprovalRefusedError, FurtherRoundImpossibleError)):
        await office.further.open(await office.draw(), Role.HANDLER, approval)
    assert (await office.draw()).number == 1


async def test_one_person_opens_no_round_without_an_approval_of_exactly_it(town: Town):
    """Try as the person who may act: other acts' approvals, another scope, other seats, and one that was used."""
    await results_are_out(town)
    after, office, name = After.of(town), town.office, town.campaign.id
    await leave_class(after, KIDS)
    draw = await office.draw()
    seats = await office.further.seats(draw)
    assert seats is not None
    params = seats.approval_params()
    wider = replace(seats, scope="everybody").approval_params()
    more = replace(seats, free={**seats.free, KIDS: seats.free[KIDS] + 1}).approval_params()
    assert params not in (wider, more)
    for approval in (
        presented(ApprovalKind.REDRAW, name, params),
        presented(ApprovalKind.FURTHER_ROUND, "other-campaign", params),
        presented(ApprovalKind.FURTHER_ROUND, name, wider),
        presented(ApprovalKind.FURTHER_ROUND, name, more),
    ):
        with pytest.raises(ApprovalRefusedError):
            await office.further.open(draw, Role.HANDLER, approval)
        assert (await office.draw()).number == 1
    used = presented(ApprovalKind.FURTHER_ROUND, name, params)
    await office.further.open(draw, Role.HANDLER, used)
    await play(town)
    await after.settle()
    with pytest.raises((ApprovalRefusedError, FurtherRoundImpossibleError)):
        await office.further.open(await office.draw(), Role.HANDLER, used)
    assert (await office.draw()).number == 2


async def test_a_round_whose_digits_are_missing_gets_a_later_one_over_the_same_places(town: Town):
    after = await opened(town)
    assert await town.office.finish()
    before = await held_places(after)
    town.clock.at = (await town.office.draw()).manifest.beacon.at
    assert await town.office.begin_later() == f"{town.campaign.id}-3"
    await play(town)
    assert await faults(after, 1, 3) == []
    assert before.items() <= (await held_places(after)).items()
    manifest = json.loads((await town.office.draw()).manifest.line)
    assert manifest["previous"]["reason"] == "digits-missing"
    assert manifest["further"]["continues"] == f"{town.campaign.id}-1"


async def test_no_round_is_opened_while_a_place_is_offered_nor_before_the_results(town: Town):
    with pytest.raises(WrongStateError):
        await town.office.open_further_round()
    await results_are_out(town)
    after = After.of(town)
    await after.answer((await after.of_class(KIDS, "held"))[0], "withdraw")
    await after.settle()
    assert await after.of_class(KIDS, "offered")
    with pytest.raises(FurtherRoundImpossibleError, match="offers"):
        await town.office.open_further_round()
    assert (await town.office.draw()).number == 1


async def test_a_round_that_lost_its_randomness_is_given_up_and_begins_again_over_the_same_places(town: Town):
    after = await opened(town)
    assert await town.office.finish()
    before = await held_places(after)
    assert await town.office.redraw() == f"{town.campaign.id}-3"
    await play(town)
    assert await faults(after, 1, 3) == []
    assert before.items() <= (await held_places(after)).items()
    draws = (await town.office.published.draws(town.campaign.id))["draws"]
    assert [draw["given_up"] is not None for draw in draws] == [False, True, False]


async def test_a_second_round_continues_the_first(town: Town):
    after = await opened(town)
    await play(town)
    await leave_class(after, KIDS)
    await town.office.open_further_round()
    await play(town)
    await after.settle()
    assert await faults(after, 1, 2, 3) == []
    assert (await town.office.draw()).rounds == tuple(f"{town.campaign.id}-{number}" for number in (1, 2, 3))


async def test_a_correction_after_a_round_gives_what_the_first_draw_would_have_given(town: Town):
    refused = [new_applicant(town.campaign.id) for _ in range(6)]
    event = ApplicationsRejected(campaign=town.campaign.id, items=tuple(one.rejected("grade") for one in refused))
    await town.office.store.transact(lambda uow: handlers.on_rejected([event], uow))
    after = await opened(town)
    await play(town)
    choices = tuple((one.id, one.seats[0]) for one in town.campaign.classes)
    given = [await after.correct(RefusedApplication(one.receipt, choices)) for one in refused]
    await after.settle()
    assert any(PlaceState.HELD in one.values() for one in given)
    assert await faults(after, 1, 2) == []


@pytest.fixture
async def open_town(mongo_url: str, namespace: str) -> AsyncIterator[Town]:
    """Run a town whose further rounds are for everybody."""
    campaign = sample_campaign()
    rules = campaign.draw.model_copy(update={"further_round": "everybody"})
    async with town_of(campaign.model_copy(update={"draw": rules}), mongo_url, f"{namespace}_everybody") as made:
        yield made


async def test_where_everybody_takes_part_an_entry_without_a_place_gets_one_that_it_had_not_asked_for(open_town: Town):
    town, campaign = open_town, open_town.campaign
    events = [_eligible(event) for event in accepted(town, town.people)]
    await town.office.store.transact(lambda uow: handlers.on_accepted(events, uow))
    closed = roll_of(campaign.id, town.people)
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
    await town.office.freeze()
    await town.office.enter_chance()
    assert await town.office.run()
    assert await town.office.publish()
    after = After.of(town)
    await leave_class(after, KIDS)
    holders = {place["entry"] for place in (await held_places(after)).values()}
    await town.office.open_further_round()
    await play(town)
    second = await after.transcript()
    asked = {row.split()[0] for row in (await after.transcript(1))["rows"].splitlines() if f"{KIDS}:" in row}
    won = set(second["winners"][KIDS])
    assert won - asked
    assert not won & holders
    assert await faults(after, 1, 2) == []
    slip = next(one["slip"] for one in await after.notices("place-won") if one["slip"]["entry"] in won - asked)
    assert slip["outcomes"][-1]["class_id"] == KIDS


def _eligible(event: ApplicationsAccepted) -> ApplicationsAccepted:
    """Return the vault's verdicts where further rounds are for everybody: each could have asked for the class."""
    items = tuple(
        item.model_copy(
            update={
                "eligible": () if any(c.class_id == KIDS for c in item.choices) else (Choice(class_id=KIDS, seats=1),)
            }
        )
        for item in event.items
    )
    return event.model_copy(update={"items": items})


async def test_the_manifest_names_roles_and_the_draw_that_it_continues(town: Town):
    await opened(town)
    assert await town.office.finish()
    manifest = json.loads((await town.office.draw()).manifest.line)
    assert manifest["previous"]["reason"] == "places-free"
    assert manifest["previous"]["actor"] == "handler"
    assert manifest["further"]["continues"] == f"{town.campaign.id}-1"
    assert manifest["further"]["free"][KIDS] == 10
