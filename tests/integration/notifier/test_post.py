"""Notices by post, bounced mails, and erasure: the counts must match, and no record may remain."""

import pytest

from shared.contracts import (
    CardFailure,
    ErasureCompleted,
    ErasureRequested,
    MailBounced,
    PrintCompleted,
    PrintRequested,
)
from tests.support.notifier_harness import Applicant, NotifierHarness, answering, by_mail, by_post
from tests.support.waiting import until


def complete(
    ordered: PrintRequested,
    *,
    missing: int = 0,
    failed: int = 0,
    pages: int | None = None,
    reason: str = "not-printable",
) -> PrintCompleted:
    """Return the print room's answer to a batch; `missing`: number of cards that the answer leaves out."""
    ids = [card.notice for card in ordered.items][missing:]
    lost, printed = ids[:failed], ids[failed:]
    failures = [CardFailure.model_validate({"notice_id": notice_id, "reason": reason}) for notice_id in lost]
    return PrintCompleted(
        campaign=ordered.campaign,
        batch_id=ordered.batch_id,
        pages=2 * len(printed) if pages is None else pages,
        printed=tuple(printed),
        failed=tuple(failures),
    )


async def test_a_card_for_an_applicant_without_mail_is_ordered_by_token_with_its_slip(harness: NotifierHarness) -> None:
    (applicant,) = by_post(1)
    async with harness.mail_room() as documents, harness.run_notifier() as http:
        await harness.publish_results([applicant], "won")
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(complete(ordered))
        await harness.wait_for_states(made=1)
        batches = (await http.get("/print-batches")).json()["batches"]
    (card,) = ordered.items
    assert (card.token, card.channel, card.attempt, card.kind) == (applicant.token, "card", 1, "result")
    assert card.slip == harness.slip(applicant, "won").to_document()
    assert [(batch["state"], batch["cards"], batch["pages"]) for batch in batches] == [("made", 1, 2)]
    assert documents == []


async def test_many_cards_are_ordered_in_batches_of_at_most_100(harness: NotifierHarness) -> None:
    applicants = by_post(150)
    async with harness.run_notifier(gather_s=1.5):
        await harness.publish_results(applicants, "lost")
        orders = [await harness.next_event(PrintRequested) for _ in range(2)]
        await harness.publish(*(complete(order) for order in orders))
        await harness.wait_for_states(made=150)
    assert [len(order.items) for order in orders] == [100, 50]
    assert {card.token for order in orders for card in order.items} == {applicant.token for applicant in applicants}


@pytest.mark.parametrize("wrong", [{"missing": 1}, {"pages": 5}])
async def test_an_answer_whose_counts_do_not_match_is_shown_and_counts_no_notice_as_printed(
    harness: NotifierHarness, wrong: dict[str, int]
) -> None:
    async with harness.run_notifier() as http:
        await harness.publish_results(by_post(3), "lost")
        await harness.publish(complete(await harness.next_event(PrintRequested), **wrong))  # type: ignore[arg-type]
        await until(lambda: _batches_are(harness, "mismatch"))
        summary = (await http.get("/summary")).json()
    assert await harness.count_states() == {"requested": 3}
    assert summary["print_batches"] == {"mismatch": 1}
    assert summary["to_tell"] == 3


@pytest.mark.parametrize(
    ("reason", "state"),
    [("not-printable", "failed"), ("superseded", "replaced"), ("invalid", "invalid")],
)
async def test_a_card_that_cannot_be_made_is_recorded_by_its_reason(
    harness: NotifierHarness, reason: str, state: str
) -> None:
    async with harness.run_notifier():
        await harness.publish_results(by_post(3), "lost")
        await harness.publish(complete(await harness.next_event(PrintRequested), failed=1, reason=reason))
        await harness.wait_for_states(made=2, **{state: 1})


async def test_a_card_whose_text_is_not_released_is_ordered_again(harness: NotifierHarness) -> None:
    async with harness.run_notifier():
        await harness.publish_results(by_post(1), "lost")
        first = await harness.next_event(PrintRequested)
        await harness.publish(complete(first, failed=1, reason="not-released"))
        second = await harness.next_event(PrintRequested)
        await harness.publish(complete(second))
        await harness.wait_for_states(made=1)
    assert [order.items[0].attempt for order in (first, second)] == [1, 2]
    assert first.batch_id != second.batch_id


async def test_an_applicant_whose_mailbox_refuses_gets_a_postcard_with_the_same_slip(harness: NotifierHarness) -> None:
    (applicant,) = by_mail(1)
    async with harness.mail_room(answering({applicant.token: ("refused", 550)})) as documents, harness.run_notifier():
        await harness.publish_results([applicant], "won")
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(complete(ordered))
        await harness.wait_for_states(made=1)
    (mail,) = [document for document in documents if document.kind == "result"]
    (card,) = ordered.items
    assert (card.kind, card.n, card.slip) == ("result", mail.n, mail.slip)


async def test_a_bounce_reported_twice_prints_one_card_for_the_recipient_of_the_mail(harness: NotifierHarness) -> None:
    losers = by_mail(3)
    async with harness.mail_room(), harness.run_notifier() as http:
        await harness.publish_results(losers, "lost")
        await harness.wait_for_states(sent=3)
        await harness.publish(await _bounce(harness, losers[1]))
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(complete(ordered))
        await harness.wait_for_states(sent=2, made=1)
        await harness.publish(await _bounce(harness, losers[1]))
        await harness.publish(*harness.contacts(by_mail(1), status="rejected"))
        await harness.wait_for_states(sent=3, made=1)
        summary = (await http.get("/summary")).json()
    assert [card.token for card in ordered.items] == [losers[1].token]
    assert (summary["bounced"], summary["postcards"]) == (1, 1)


async def test_the_summary_shows_open_notices_against_the_deadline(harness: NotifierHarness) -> None:
    async with harness.run_notifier(gather_s=60) as http:
        await harness.publish_results(by_post(2), "won")
        await harness.wait_for_states(to_print=2)
        summary = (await http.get("/summary")).json()
    assert summary["to_tell"] == 2
    assert summary["deadline"]["missed"] is True
    assert summary["deadline"]["notify_by"] == harness.campaign.notify_by.isoformat()


async def test_an_erasure_leaves_no_record_and_reports_its_counts(harness: NotifierHarness) -> None:
    applicants = [*by_mail(4), *by_post(2)]
    async with harness.mail_room(), harness.run_notifier():
        await harness.publish(*harness.results(applicants, "lost"))
        await until(lambda: _has(harness, "slips", 6))
        await harness.publish(*harness.contacts(applicants))
        await harness.publish(complete(await harness.next_event(PrintRequested)))
        await harness.wait_for_states(sent=4, made=2)
        await harness.publish(ErasureRequested(campaign=harness.campaign.id, erasure_id="e-1"))
        done = await harness.next_event(ErasureCompleted)
    counted = {store.store: (store.before, store.after, store.result) for store in done.stores}
    assert counted["contacts"] == counted["slips"] == counted["notices"] == (6, 0, "PASS")
    assert counted["print_batches"] == (1, 0, "PASS")
    assert all(store.result == "PASS" for store in done.stores)
    names = await harness.store.db.list_collection_names()
    left = "".join([repr(row) for name in names for row in await harness.store.db[name].find().to_list(None)])
    assert not any(applicant.token in left or applicant.receipt in left for applicant in applicants)


async def _bounce(harness: NotifierHarness, applicant: Applicant) -> MailBounced:
    notice = (await harness.stored("result"))[applicant.token]
    return MailBounced.model_validate({"campaign": harness.campaign.id, "notice_id": notice.id, "status": "5.1.1"})


async def _batches_are(harness: NotifierHarness, state: str) -> bool:
    found = await harness.store.db["print_batches"].find().to_list(None)
    return [batch["state"] for batch in found] == [state]


async def _has(harness: NotifierHarness, collection: str, count: int) -> bool:
    return await harness.store.db[collection].count_documents({}) == count


async def test_a_card_to_an_address_that_is_not_shared_any_more_becomes_a_telephone_call(
    harness: NotifierHarness,
) -> None:
    """Record the call: the vault answers `superseded` here, too, and the applicant must be told all the same."""
    (applicant,) = by_post(1)
    async with harness.run_notifier() as http:
        await harness.publish(*harness.contacts([applicant], status="undecided"))
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(complete(ordered, failed=1, reason="superseded"))
        await harness.wait_for_states(to_phone=1)
        (entry,) = (await http.get("/telephone-list")).json()["notices"]
        assert (entry["receipt"], entry["kind"]) == (applicant.receipt, "undecided")
        assert (await http.get("/summary")).json()["to_tell"] == 1
        for decision, status in (("post", 409), ("again", 409), ("phoned", 200)):
            decided = await http.post(f"/notices/{entry['id']}/resolve", json={"decision": decision})
            assert decided.status_code == status
        summary = (await http.get("/summary")).json()
    assert (summary["told"], summary["to_tell"], summary["to_telephone"]) == (1, 0, 0)


@pytest.mark.parametrize("reason", ["superseded", "not-released", "invalid"])
async def test_a_card_about_being_left_out_is_replaced_by_a_slip_that_came_while_it_was_ordered(
    harness: NotifierHarness, reason: str
) -> None:
    (applicant,) = by_post(1)
    async with harness.run_notifier():
        await harness.publish(*harness.contacts([applicant], status="undecided"))
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(*harness.results([applicant], "won"))
        await harness.wait_for_states(requested=2)
        await harness.publish(complete(ordered, failed=1, reason=reason))
        await harness.wait_for_states(requested=1, replaced=1)
