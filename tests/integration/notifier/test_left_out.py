"""Tell who was left out of a draw, and take the notice off the telephone list once a slip tells more (ADR 54)."""

import pytest

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.post.handling import CardHandling
from services.notifier.rules.states import NoticeState
from shared.ids import ClassId
from tests.integration.notifier.test_occasions import consume, occasions, set_state
from tests.support.notifier_harness import CLASSES, FIRST, Applicant, NotifierHarness, by_post

HANDLER = "suzuki-02"


async def left_out(harness: NotifierHarness, applicant: Applicant, state: str) -> None:
    """Let the applicant have a card about being left out, in this state."""
    await consume(harness, *harness.contacts([applicant], status="undecided"))
    await set_state(harness, applicant, state)


@pytest.mark.parametrize("state", ["failed", "returned"])
async def test_a_card_that_reached_nobody_leaves_the_telephone_list_when_a_slip_comes(
    prepared: NotifierHarness, state: str
) -> None:
    (applicant,) = by_post(1)
    await left_out(prepared, applicant, state)
    await consume(prepared, *prepared.results([applicant], "won"))
    assert await occasions(prepared) == [("result", FIRST, "to_print"), ("undecided", 1, "replaced")]


async def test_a_card_that_comes_back_after_the_slip_came_is_no_call_either(prepared: NotifierHarness) -> None:
    (applicant,) = by_post(1)
    await left_out(prepared, applicant, "posted")
    await consume(prepared, *prepared.results([applicant], "won"))
    cards = CardHandling(prepared.store)
    notice = await cards.record_return(prepared.campaign.id, applicant.receipt, "unknown", HANDLER)
    assert await occasions(prepared) == [("result", FIRST, "to_print"), ("undecided", 1, "replaced")]
    stored = await prepared.store.db["notices"].find_one({"_id": notice})
    assert stored is not None
    assert (stored["return_reason"], stored["returned_by"]) == ("unknown", HANDLER)


async def test_the_result_that_needs_a_call_itself_stays_on_the_list(prepared: NotifierHarness) -> None:
    (applicant,) = by_post(1)
    await left_out(prepared, applicant, "returned")
    await consume(prepared, *prepared.results([applicant], "won"))
    await prepared.store.db["notices"].update_one({"kind": "result"}, {"$set": {"state": NoticeState.FAILED}})
    await consume(prepared, prepared.places([applicant], "offer", "offered", FIRST + 1))
    found = await occasions(prepared)
    assert ("result", FIRST, "failed") in found
    assert ("undecided", 1, "replaced") in found


async def test_a_card_that_came_back_stays_on_the_list_while_nothing_says_more(prepared: NotifierHarness) -> None:
    (applicant,) = by_post(1)
    await left_out(prepared, applicant, "returned")
    await consume(prepared, *prepared.contacts([applicant], revision=2))
    assert await occasions(prepared) == [("undecided", 1, "returned")]


async def test_who_is_left_out_of_a_redraw_is_told_once_though_a_result_of_the_draw_before_was_sent(
    prepared: NotifierHarness,
) -> None:
    (applicant,) = by_post(1)
    await consume(prepared, *prepared.contacts([applicant]), *prepared.results([applicant], "won"))
    await set_state(prepared, applicant, "posted")
    changes = {"status": "undecided", "contact": "telephone", "left_out_of": 2 * FIRST}
    told = prepared.contacts([applicant], revision=2, **changes)
    await consume(prepared, *told, *told)
    left = [("result", FIRST, "posted"), ("undecided", 1, "to_phone")]
    assert await occasions(prepared) == left
    await consume(prepared, *prepared.contacts([applicant], revision=3))
    assert await occasions(prepared) == left, "a decision after the draw does not put it into the draw"
    await consume(prepared, *prepared.results([applicant], "lost", n=2 * FIRST))
    assert ("undecided", 1, "replaced") in await occasions(prepared)


async def test_a_result_of_the_draw_before_that_was_not_sent_is_not_sent_any_more(prepared: NotifierHarness) -> None:
    waiting, drawn = by_post(2)
    await consume(prepared, *prepared.contacts([waiting]), *prepared.results([waiting], "won"))
    await consume(prepared, *prepared.results([drawn], "won", n=2 * FIRST))
    changes = {"status": "undecided", "contact": "telephone", "left_out_of": 2 * FIRST}
    await consume(prepared, *prepared.contacts([waiting, drawn], revision=2, **changes))
    assert await occasions(prepared) == [
        ("result", FIRST, "replaced"),
        ("result", 2 * FIRST, "to_print"),
        ("undecided", 1, "to_phone"),
    ]


async def test_who_is_left_out_of_a_redraw_gets_no_announcement_to_those_who_hold_the_class(
    prepared: NotifierHarness,
) -> None:
    gone, drawn, kept = by_post(3)
    await consume(prepared, *prepared.contacts([gone, drawn, kept]), *prepared.results([gone, drawn, kept], "won"))
    changes = {"status": "undecided", "contact": "telephone", "left_out_of": 2 * FIRST}
    await consume(prepared, *prepared.contacts([gone, drawn], revision=2, **changes))
    await consume(prepared, *prepared.results([drawn], "won", n=2 * FIRST))
    applicants = ApplicantRepository(prepared.store.db)
    found = await applicants.list_recipients(prepared.campaign.id, ClassId(CLASSES[0]), after=None, limit=9)
    assert sorted(found) == sorted([drawn.token, kept.token])
