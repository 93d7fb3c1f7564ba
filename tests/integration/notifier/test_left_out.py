"""Tell who was left out of a draw, and take the notice off the telephone list once a slip tells more (ADR 54)."""

import pytest

from services.notifier.post.handling import CardHandling
from services.notifier.rules.states import NoticeState
from tests.integration.notifier.test_occasions import consume, occasions, set_state
from tests.support.notifier_harness import FIRST, Applicant, NotifierHarness, by_post

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
