"""Places after the draw on a real database: given up, passed on, answered, run out, corrected; all of it verifiable."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.lottery.draw import handlers
from services.lottery.draw.clock_check import ClocksDifferError
from services.lottery.draw.collections import PAST_DRAWS
from services.lottery.draw.rules.states import WrongStateError
from services.lottery.places.corrections import RefusedApplication
from services.lottery.places.moves import NoSuchPlaceError, release
from services.lottery.places.stored_place import Actor
from services.lottery.promotion.states import PlaceState
from services.lottery.promotion.waiting_list import InvalidMoveError
from services.lottery.record.passes import read_pass
from services.lottery.verification.transcript_checks import verify_transcript
from shared.contracts import ApplicationsRejected
from shared.ids import ClassId
from shared.slips import SlipKeys
from tests.support.applicants import Applicant, new_applicant
from tests.support.lottery_harness import PEOPLE, Town, everybody_is_in
from tests.support.places_harness import FOOTBALL, KIDS, After, events, results_are_out
from tests.support.service_keys import keys_dir
from tests.support.waiting import await_all

TWO = Actor("sato", "suzuki")


@pytest.fixture
async def after(town: Town) -> After:
    await results_are_out(town)
    return After.of(town)


async def test_a_place_goes_to_the_first_who_waits_once_it_is_given_up_and_the_transcript_says_so(after: After):
    await after.settle()
    assert len(await after.of_class(KIDS, "held")) == 10
    assert [each["position"] for each in await after.of_class(KIDS, "waiting")] == [1, 2, 3, 4, 5]
    assert await after.offers() == []
    given_up, first = (await after.of_class(KIDS, "held"))[0], (await after.of_class(KIDS, "waiting"))[0]
    await after.answer(given_up, "withdraw")
    await after.answer(given_up, "withdraw")
    await after.settle()
    confirmation, offer = await after.notices()
    assert [(notice["kind"], notice["class_id"]) for notice in (confirmation, offer)] == [
        ("place-withdrawn", KIDS),
        ("offer", KIDS),
    ]
    assert outcome_of(confirmation, KIDS) | {"rank": 0, "of": 0} == {
        "class_id": KIDS,
        "outcome": "gone",
        "seats": 1,
        "reason": "withdrawn",
        "rank": 0,
        "of": 0,
    }
    slip = offer["slip"]
    assert (slip["entry"], slip["receipt"], outcome_of(offer, KIDS)["outcome"]) == (
        first["entry"],
        first["receipt"],
        "offered",
    )
    assert "pass_code" not in slip
    content = await after.transcript()
    (code,) = [given["code"] for given in slip["passes"] if given["class_id"] == KIDS]
    shown = read_pass([content["signing_key"]], after.campaign.id, code)
    assert (shown.entry.hex(), shown.seats) == (first["entry"], 1)
    published = events(content, "withdrawn", "offered")
    assert [(each["event"], each["reason"]) for each in published] == [("withdrawn", "applicant"), ("offered", "")]
    assert verify_transcript(content).passed
    assert after.clock.now() + timedelta(hours=72) == (await after.of_class(KIDS, "offered"))[0]["answer_by"]


def outcome_of(notice: dict[str, Any], class_id: ClassId) -> dict[str, Any]:
    (outcome,) = [each for each in notice["slip"]["outcomes"] if each["class_id"] == class_id]
    return dict(outcome)


async def test_every_change_gives_a_signed_slip_of_all_classes_that_the_vault_is_told_of(after: After):
    """Give up, offer, accept, decline, let run out: each confirms, and no number comes twice for one application."""
    for place in (await after.of_class(KIDS, "held"))[:3]:
        await after.answer(place, "withdraw")
    await after.settle()
    accepts, declines, silent = await after.of_class(KIDS, "offered")
    await after.answer(accepts, "accept")
    await after.answer(declines, "decline", Actor("sato"))
    after.clock.at += timedelta(hours=72)
    await after.settle()

    kinds = {entry: [] for entry in (accepts["entry"], declines["entry"], silent["entry"])}
    for notice in await after.notices():
        if notice["slip"]["entry"] in kinds:
            kinds[notice["slip"]["entry"]].append((notice["kind"], outcome_of(notice, KIDS)["outcome"]))
    assert list(kinds.values()) == [
        [("offer", "offered"), ("place-won", "won")],
        [("offer", "offered"), ("place-withdrawn", "gone")],
        [("offer", "offered"), ("offer-expired", "gone")],
    ]
    slips = await after.slips()
    keys = SlipKeys(keys_dir())
    assert all(keys.verify(slip) for slip in slips)
    numbers = sorted((slip["token"], slip["n"]) for slip in slips)
    assert numbers == await after.issued()
    assert len(set(numbers)) == len(numbers) > PEOPLE
    asked = {slip["entry"]: {each["class_id"] for each in slip["outcomes"]} for slip in slips if slip["n"] == 1_000_000}
    assert all({each["class_id"] for each in slip["outcomes"]} == asked[slip["entry"]] for slip in slips)


async def test_a_step_right_after_the_draw_does_not_stand_before_it(town: Town):
    town.clock.at += timedelta(milliseconds=700)
    await results_are_out(town)
    after = After.of(town)
    town.clock.at += timedelta(milliseconds=100)
    await after.answer((await after.of_class(KIDS, "held"))[0], "withdraw")
    await after.settle()
    times = [datetime.fromisoformat(each["at"]) for each in (await after.transcript())["history"]]
    assert times == sorted(times)
    assert (await after.verified()).passed


async def test_an_offer_that_is_accepted_is_a_place_and_one_that_is_declined_goes_on(after: After):
    for place in (await after.of_class(KIDS, "held"))[:2]:
        await after.answer(place, "withdraw")
    await after.settle()
    first, second = await after.of_class(KIDS, "offered")
    third = (await after.of_class(KIDS, "waiting"))[0]
    await after.answer(first, "accept")
    await after.answer(second, "decline", Actor("sato"))
    await after.settle()
    assert [each["_id"] for each in await after.of_class(KIDS, "offered")] == [third["_id"]]
    assert len(await after.of_class(KIDS, "held")) == 9
    assert (await after.verified()).passed


async def test_an_offer_that_nobody_answers_runs_out_and_cannot_be_accepted_any_more(after: After):
    await after.answer((await after.of_class(KIDS, "held"))[0], "withdraw")
    await after.settle()
    (first,) = await after.of_class(KIDS, "offered")
    second = (await after.of_class(KIDS, "waiting"))[0]
    after.clock.at += timedelta(hours=72)
    with pytest.raises(InvalidMoveError, match="over"):
        await after.answer(first, "accept")
    await after.settle()
    assert [each["_id"] for each in await after.of_class(KIDS, "offered")] == [second["_id"]]
    (gone,) = [each for each in await after.of_class(KIDS, "gone") if each["_id"] == first["_id"]]
    assert gone["why"] == "expired"
    assert (await after.verified()).passed


async def test_an_offer_does_not_run_out_by_a_clock_that_is_wrong(after: After, monkeypatch: pytest.MonkeyPatch):
    await after.answer((await after.of_class(KIDS, "held"))[0], "withdraw")
    await after.settle()
    after.clock.at += timedelta(hours=72)

    async def an_hour_ago() -> datetime:
        return datetime.now(UTC) - timedelta(hours=1)

    monkeypatch.setattr(after.store, "time", an_hour_ago)
    with pytest.raises(ClocksDifferError):
        await after.settle()
    assert len(await after.of_class(KIDS, "offered")) == 1


async def test_whoever_takes_as_many_places_as_anybody_may_waits_for_no_more(after: After):
    held = {each["entry"] for each in await after.of_class(KIDS, "held")}
    assert held
    for place in await after.of_class(KIDS, "held"):
        await after.answer(place, "withdraw")
    for place in await after.of_class(FOOTBALL, "held"):
        await after.answer(place, "withdraw")
    for _ in range(4):
        await after.settle()
        for offered in [*await after.of_class(KIDS, "offered"), *await after.of_class(FOOTBALL, "offered")]:
            await after.answer(offered, "accept")
    content = await after.transcript()
    assert {each["reason"] for each in events(content, "passed-over")} <= {"limit", "clash"}
    assert (await after.verified()).passed


async def test_a_history_that_the_office_bent_is_found(after: After):
    for place in (await after.of_class(KIDS, "held"))[:2]:
        await after.answer(place, "withdraw")
    await after.settle()
    good, last = await after.transcript(), (await after.of_class(KIDS, "waiting"))[-1]
    number = next(at for at, each in enumerate(good["history"]) if each["event"] == "offered")
    for bend in ({"entry": last["entry"]}, {"answer_by": "2018-06-09T00:00:00+00:00"}, None):
        history = [
            *good["history"][:number],
            {**good["history"][number], **(bend or {})},
            *good["history"][number + 1 :],
        ]
        bent = {**good, "history": history if bend else [*history[:number], *history[number + 1 :]]}
        failed = {check.name for check in verify_transcript(bent).checks if not check.passed}
        assert {"signature of the result", "places after the draw"} <= failed


async def test_of_many_who_pass_on_at_once_each_place_is_offered_once(town: Town, after: After):
    offices = [After.of(town, number) for number in range(3)]
    held = await after.of_class(KIDS, "held")
    await await_all(*(offices[n % 3].answer(place, "withdraw") for n, place in enumerate(held[:6])))
    for _ in range(2):
        await await_all(*(each.passing_on.advance(after.campaign) for each in offices))
    await await_all(*(each.renewing.renew(after.campaign) for each in offices))
    offers = await after.offers()
    assert len({each["n"] for each in offers}) == len(offers) == 5
    content = await after.transcript()
    assert len(events(content, "withdrawn")) == 6
    assert verify_transcript(content).passed


async def test_processes_that_die_while_they_pass_on_leave_nothing_half_done(town: Town, after: After):
    other = After.of(town, 1)
    for place in await after.of_class(KIDS, "held"):
        await after.answer(place, "withdraw")
    for milliseconds in (1, 3, 6, 10, 15, 25):
        dying = asyncio.create_task(after.passing_on.advance(after.campaign))
        await asyncio.sleep(milliseconds / 1000)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    await other.settle()
    offers = await other.offers()
    assert len({each["entry"] for each in offers}) == len(offers) == 5
    assert len(events(await other.transcript(), "offered")) == 5
    assert (await other.verified()).passed


async def test_places_released_on_the_day_go_to_whoever_is_present_and_nobody_is_asked_any_more(after: After):
    after.clock.at = after.campaign.classes[3].starts + timedelta(minutes=15)
    missing, waits = (await after.of_class(KIDS, "held"))[0], await after.of_class(KIDS, "waiting")
    name, at = after.campaign.id, after.clock.now()
    for _ in range(2):
        await after.store.transact(lambda uow: release(uow, name, missing["entry"], KIDS, "no-show", at))
    await after.settle()
    assert await after.offers() == []
    await after.places.admit(name, waits[1]["entry"], KIDS, Actor("sato"))
    with pytest.raises(InvalidMoveError, match="not enough"):
        await after.places.admit(name, waits[0]["entry"], KIDS, Actor("sato"))
    await after.settle()
    content = await after.transcript()
    assert [each["past"] for each in events(content, "promoted")] == [[waits[0]["entry"]]]
    assert len(events(content, "released")) == 1
    assert verify_transcript(content).passed


async def test_somebody_wrongly_refused_gets_what_the_draw_would_have_given_and_nobody_loses(
    town: Town,
):
    refused = [new_applicant(town.campaign.id) for _ in range(12)]
    items = tuple(applicant.rejected("grade") for applicant in refused)
    event = ApplicationsRejected(campaign=town.campaign.id, items=items)
    await town.office.store.transact(lambda uow: handlers.on_rejected([event], uow))
    await results_are_out(town)
    after = After.of(town)
    before = {each["_id"]: each for each in await after.of_class(KIDS, "held", "waiting")}
    given = [await correct(after, each) for each in refused]
    await after.settle()
    assert {str(state) for each in given for state in each.values()} <= {"held", "waiting"}
    now = {each["_id"]: each for each in await after.of_class(KIDS, "held", "waiting")}
    assert {name: now[name] for name in before} == before
    assert len(now) == len(before) + sum(len(each) for each in given)
    notices = await after.notices()
    assert [notice["kind"] for notice in notices] == ["correction"] * sum(map(len, given))
    states = [state for each in given for state in each.values()]
    words = {"won": "held", "waiting": "waiting"}
    assert [words[outcome_of(notice, KIDS)["outcome"]] for notice in notices] == states
    content = await after.transcript()
    assert verify_transcript(content).passed
    assert all(each["extra"] == (each["state"] == "held") for each in events(content, "corrected"))
    for name in (each for each, got in zip(refused, given, strict=True) if got):
        with pytest.raises(InvalidMoveError):
            await correct(after, name)


async def correct(after: After, applicant: Applicant) -> dict[str, PlaceState]:
    return await after.correct(RefusedApplication(applicant.receipt, ((KIDS, 1),)))


async def test_only_what_was_received_and_refused_can_be_corrected(town: Town, after: After):
    with pytest.raises(NoSuchPlaceError):
        await correct(after, new_applicant(town.campaign.id))
    with pytest.raises(NoSuchPlaceError):
        await correct(after, town.people[0])
    with pytest.raises(InvalidMoveError):
        await after.places.admit(town.campaign.id, town.people[0].entry, ClassId("no-such"), TWO)


async def test_no_place_moves_before_the_results_are_out_nor_after_another_draw_began(town: Town):
    await everybody_is_in(town)
    after = After.of(town)
    await after.settle()
    with pytest.raises(WrongStateError):
        await after.places.answer(town.campaign.id, town.people[0].entry, KIDS, "withdraw", TWO)


async def test_a_draw_that_is_given_up_keeps_the_history_of_its_places(town: Town, after: After):
    place = (await after.of_class(KIDS, "held"))[0]
    await after.answer(place, "withdraw")
    await town.office.redraw("dice fell")
    with pytest.raises(WrongStateError):
        await after.answer(place, "withdraw")
    await after.settle()
    first = await after.transcript(1)
    assert [each["entry"] for each in events(first, "withdrawn")] == [place["entry"]]
    assert verify_transcript(first).passed
    past = await after.store.db[PAST_DRAWS].find_one({})
    assert past is not None
    assert past["places"]["signed"] == past["places"]["changes"]
