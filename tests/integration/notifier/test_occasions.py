"""Notices from contacts and slips, in whichever order these come; a newer slip replaces what has not been sent."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from services.notifier import handlers
from services.notifier.counts_repository import NoticeCountsRepository
from services.notifier.rules.answers import Waits, consequence
from shared.contracts import ContactsRegistered, Event, MailAnswer, PlacesOffered, ResultsPublished
from shared.storage import UnitOfWork
from tests.support.notifier_harness import FIRST, Applicant, NotifierHarness, by_mail, by_post


async def consume(harness: NotifierHarness, *events: Event) -> None:
    """Handle each event in a transaction of its own."""
    for event in events:
        await harness.store.transact(partial(_handle, event))


async def _handle(event: Event, uow: UnitOfWork) -> None:
    match event:
        case ContactsRegistered():
            await handlers.on_contacts([event], uow)
        case ResultsPublished():
            await handlers.on_results([event], uow)
        case PlacesOffered():
            await handlers.on_places([event], uow)


async def occasions(harness: NotifierHarness) -> list[tuple[str, int, str]]:
    """Return kind, number and state of each notice."""
    found = harness.store.db["notices"].find().sort([("kind", 1), ("n", 1)])
    return [(notice["kind"], notice["n"], notice["state"]) async for notice in found]


async def set_state(harness: NotifierHarness, applicant: Applicant, state: str) -> None:
    await harness.store.db["notices"].update_many({"token": applicant.token}, {"$set": {"state": state}})


async def test_a_complete_application_by_mail_is_acknowledged_and_one_by_post_is_not(
    prepared: NotifierHarness,
) -> None:
    await consume(prepared, *prepared.contacts([*by_mail(1), *by_post(1)]))
    assert await occasions(prepared) == [("acknowledgement", 1, "pending")]


async def test_a_corrected_application_is_acknowledged_again(prepared: NotifierHarness) -> None:
    applicants = by_mail(1)
    await consume(prepared, *prepared.contacts(applicants), *prepared.contacts(applicants, version=2, revision=2))
    assert await occasions(prepared) == [("acknowledgement", 1, "replaced"), ("acknowledgement", 2, "pending")]


async def test_the_contact_with_the_highest_revision_holds_in_any_order(prepared: NotifierHarness) -> None:
    applicants = by_mail(1)
    await consume(
        prepared,
        *prepared.contacts(applicants, revision=3, status="rejected"),
        *prepared.contacts(applicants, revision=2),
        *prepared.contacts(applicants, revision=3, status="rejected"),
    )
    assert await occasions(prepared) == [("rejected", 1, "pending")]


async def test_a_rejection_that_was_taken_back_and_made_again_is_told(prepared: NotifierHarness) -> None:
    applicants = by_post(1)
    await consume(prepared, *prepared.contacts(applicants, status="rejected"))
    await consume(prepared, *prepared.contacts(applicants, revision=2))
    assert await occasions(prepared) == [("rejected", 1, "replaced")]
    await consume(prepared, *prepared.contacts(applicants, revision=3, status="rejected"))
    assert await occasions(prepared) == [("rejected", 1, "to_print")]


async def test_an_acknowledgement_that_did_not_arrive_is_sent_again_after_a_change_of_the_contact(
    prepared: NotifierHarness,
) -> None:
    applicants = by_mail(1)
    await consume(prepared, *prepared.contacts(applicants))
    await set_state(prepared, applicants[0], "undelivered")
    await consume(prepared, *prepared.contacts(applicants, revision=2, mail_domain_class="gmail"))
    assert await occasions(prepared) == [("acknowledgement", 1, "pending")]


@pytest.mark.parametrize(("by", "state"), [(by_mail, "pending"), (by_post, "to_print")])
async def test_a_person_who_applied_twice_is_told_once_after_the_draw(
    prepared: NotifierHarness, by: Callable[[int], list[Applicant]], state: str
) -> None:
    """No card follows a mail that did not arrive: the result of the other application goes to the same address."""
    applicants = by(1)
    second = prepared.contacts(applicants, revision=2, status="same-person")
    await consume(prepared, *prepared.contacts(applicants), *second, *second)
    assert ("same-person", 1, state) in await occasions(prepared)
    (notice,) = [one for one in (await prepared.stored()).values() if one.kind == "same-person"]
    answer = MailAnswer(notice=notice.id, attempt=1, answer="refused", code=550)
    refused = consequence(answer, notice, 1, Waits((), 0.0))
    assert refused.state == "undelivered"
    summary = await NoticeCountsRepository(prepared.store.db).count_notices(prepared.campaign.id)
    assert list(summary.told_by_deadline()) == []


@pytest.mark.parametrize("first", ["slip", "contact"])
async def test_slip_and_contact_make_one_notice_in_any_order(prepared: NotifierHarness, first: str) -> None:
    applicants = by_mail(3)
    events = [*prepared.results(applicants, "won"), *prepared.contacts(applicants)]
    await consume(prepared, *(events if first == "slip" else reversed(events)))
    await consume(prepared, *events)
    made = [occasion for occasion in await occasions(prepared) if occasion[0] == "result"]
    assert made == [("result", FIRST, "pending")] * 3
    acknowledged = {state for kind, _, state in await occasions(prepared) if kind == "acknowledgement"}
    assert acknowledged == (set() if first == "slip" else {"replaced"})


async def test_a_contact_and_a_slip_handled_at_the_same_moment_create_the_notice(prepared: NotifierHarness) -> None:
    applicants = by_mail(30)
    for applicant in applicants:
        events = [*prepared.contacts([applicant]), *prepared.results([applicant], "won")]
        await asyncio.gather(*(consume(prepared, event) for event in events))
    assert set(await prepared.stored()) == {applicant.token for applicant in applicants}


async def test_a_newer_slip_replaces_the_unsent_notice_and_leaves_the_sent_one(prepared: NotifierHarness) -> None:
    told, waiting = by_mail(2)
    await consume(prepared, *prepared.contacts([told, waiting]), *prepared.results([told, waiting], "waiting"))
    await set_state(prepared, told, "sent")
    await consume(prepared, prepared.places([told, waiting], "offer", "offered", FIRST + 4))
    await consume(prepared, *prepared.results([told, waiting], "waiting"))
    assert sorted(occasion for occasion in await occasions(prepared) if occasion[0] != "acknowledgement") == [
        ("offer", FIRST + 4, "pending"),
        ("offer", FIRST + 4, "pending"),
        ("result", FIRST, "replaced"),
        ("result", FIRST, "sent"),
    ]


async def test_a_slip_that_was_consumed_after_a_newer_one_creates_no_notice(prepared: NotifierHarness) -> None:
    applicants = by_mail(2)
    await consume(
        prepared,
        *prepared.results(applicants, "lost", n=2 * FIRST),
        *prepared.contacts(applicants),
        *prepared.results(applicants, "won"),
        prepared.places(applicants, "offer", "offered", FIRST + 7),
    )
    assert [occasion for occasion in await occasions(prepared) if occasion[0] != "acknowledgement"] == [
        ("result", 2 * FIRST, "pending")
    ] * 2
    slips = await prepared.store.db["slips"].find().to_list(None)
    assert {slip["n"] for slip in slips} == {2 * FIRST}


async def test_two_changes_with_one_number_make_two_notices(prepared: NotifierHarness) -> None:
    applicants = by_mail(1)
    await consume(
        prepared,
        prepared.places(applicants, "offer-expired", "gone", FIRST + 1),
        prepared.places(applicants, "correction", "gone", FIRST + 1),
        *prepared.contacts(applicants),
    )
    assert await occasions(prepared) == [("correction", FIRST + 1, "pending"), ("offer-expired", FIRST + 1, "pending")]


async def test_a_slip_ordered_while_a_newer_one_comes_is_decided_by_its_answer(prepared: NotifierHarness) -> None:
    applicants = by_mail(1)
    await consume(prepared, *prepared.contacts(applicants), *prepared.results(applicants, "waiting"))
    await set_state(prepared, applicants[0], "mailing")
    await consume(prepared, prepared.places(applicants, "offer", "offered", FIRST + 1))
    assert ("result", FIRST, "mailing") in await occasions(prepared)


async def test_an_applicant_who_has_no_mail_address_any_more_gets_a_card(prepared: NotifierHarness) -> None:
    applicants = by_mail(1)
    await consume(prepared, *prepared.contacts(applicants), *prepared.results(applicants, "lost"))
    await consume(prepared, *prepared.contacts(applicants, revision=2, contact="post", mail_domain_class=None))
    assert ("result", FIRST, "to_print") in await occasions(prepared)


async def test_an_undecided_application_is_told_by_card_or_waits_for_a_telephone_call(
    prepared: NotifierHarness,
) -> None:
    """Count both by the three-day clock, unlike a courtesy; a decision after the draw takes neither back."""
    by_card, by_telephone = by_mail(2)
    waiting = [("undecided", 1, "to_phone"), ("undecided", 1, "to_print")]
    for applicant, contact in ((by_card, "post"), (by_telephone, "telephone")):
        left_out = prepared.contacts([applicant], revision=2, status="undecided", contact=contact)
        await consume(prepared, *prepared.contacts([applicant]), *left_out, *left_out)
    found = [one for one in await occasions(prepared) if one[0] == "undecided"]
    assert sorted(found) == waiting
    await consume(prepared, *prepared.contacts([by_card, by_telephone], revision=3))
    assert sorted(one for one in await occasions(prepared) if one[0] == "undecided") == waiting
    assert [one for one in await occasions(prepared) if one[0] == "acknowledgement"] == [
        ("acknowledgement", 1, "replaced")
    ] * 2
    summary = await NoticeCountsRepository(prepared.store.db).count_notices(prepared.campaign.id)
    assert sorted((tally.kind, tally.state) for tally in summary.told_by_deadline()) == [
        ("undecided", "to_phone"),
        ("undecided", "to_print"),
    ]
    await consume(prepared, *prepared.results([by_telephone], "won"))
    assert ("undecided", 1, "replaced") in await occasions(prepared)


async def test_a_drawn_application_that_was_held_later_is_never_said_to_be_left_out(prepared: NotifierHarness) -> None:
    """Tell the result, in whichever order the two come; what comes later goes as a card and waits for no call."""
    held, drawn = by_mail(2)
    for applicant in (held, drawn):
        events = [
            *prepared.contacts([applicant], status="undecided", contact="telephone"),
            *prepared.results([applicant], "waiting"),
        ]
        await consume(prepared, *(events if applicant is held else reversed(events)))
    assert await occasions(prepared) == [
        ("result", FIRST, "to_print"),
        ("result", FIRST, "to_print"),
        ("undecided", 1, "replaced"),
    ]
    await consume(prepared, prepared.places([held, drawn], "offer", "offered", FIRST + 1))
    assert [one for one in await occasions(prepared) if one[0] == "offer"] == [("offer", FIRST + 1, "to_print")] * 2
    assert not [one for one in await occasions(prepared) if one[2] == "to_phone"]


async def test_a_notice_after_the_draw_sends_no_other_mail_by_post(prepared: NotifierHarness) -> None:
    applicants = by_mail(1)
    await consume(prepared, *prepared.contacts(applicants), *prepared.results(applicants, "won"))
    await consume(prepared, *prepared.contacts(applicants, revision=2, status="undecided", contact="post"))
    assert ("result", FIRST, "pending") in await occasions(prepared)
