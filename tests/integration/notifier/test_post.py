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
from shared.ids import NoticeId, new_token
from tests.support.mail_server import MailServer
from tests.support.notifier_harness import PASS_CODE, PASS_TEXT, NotifierHarness
from tests.support.vault_parts import Known
from tests.support.waiting import until


def complete(ordered: PrintRequested, *, missing: int = 0, failed: int = 0, pages: int | None = None) -> PrintCompleted:
    """Return the print room's answer to a batch; `missing`: number of cards that the answer leaves out."""
    ids = [card.notice_id for card in ordered.items][missing:]
    lost, printed = ids[:failed], ids[failed:]
    return PrintCompleted(
        campaign=ordered.campaign,
        batch_id=ordered.batch_id,
        pages=2 * len(printed) if pages is None else pages,
        printed=tuple(printed),
        failed=tuple(CardFailure(notice_id=notice_id, reason="unknown-token") for notice_id in lost),
        sha256="0" * 64,
    )


async def admit_without_mail(harness: NotifierHarness, count: int) -> list[Known]:
    """Store people whose contact channel is post."""
    return await harness.admit_people(count, dict.fromkeys(range(count)))


async def test_a_card_for_an_applicant_without_mail_is_ordered_by_token_without_a_name(
    harness: NotifierHarness, mta: MailServer
) -> None:
    (applicant,) = await admit_without_mail(harness, 1)
    async with harness.run_notifier() as http:
        await harness.publish_results([applicant], "won")
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(complete(ordered))
        await harness.wait_for_states(made=1)
        batches = (await http.get("/print-batches")).json()["batches"]
    (card,) = ordered.items
    assert (card.token, card.pass_code, [class_pass.code for class_pass in card.passes]) == (
        applicant.token,
        PASS_CODE,
        [PASS_TEXT],
    )
    assert "{{kuji:name}}" in card.body
    assert applicant.person.name not in ordered.model_dump_json()
    assert [(batch["state"], batch["cards"], batch["pages"]) for batch in batches] == [("made", 1, 2)]
    assert mta.mails == []


async def test_many_cards_are_ordered_in_batches_of_at_most_200(harness: NotifierHarness) -> None:
    applicants = await admit_without_mail(harness, 250)
    async with harness.run_notifier(gather_s=1.5):
        await harness.publish_results(applicants, "lost")
        orders = [await harness.next_event(PrintRequested) for _ in range(2)]
        await harness.publish(*(complete(order) for order in orders))
        await harness.wait_for_states(made=250)
    assert [len(order.items) for order in orders] == [200, 50]
    assert {card.token for order in orders for card in order.items} == {applicant.token for applicant in applicants}


@pytest.mark.parametrize("wrong", [{"missing": 1}, {"pages": 5}])
async def test_an_answer_whose_counts_do_not_match_is_shown_and_counts_no_notice_as_printed(
    harness: NotifierHarness, wrong: dict[str, int]
) -> None:
    applicants = await admit_without_mail(harness, 3)
    async with harness.run_notifier() as http:
        await harness.publish_results(applicants, "lost")
        await harness.publish(complete(await harness.next_event(PrintRequested), **wrong))
        await until(lambda: _batches_are(harness, "mismatch"))
        summary = (await http.get("/summary")).json()
    assert await harness.count_states() == {"requested": 3}
    assert summary["print_batches"] == {"mismatch": 1}
    assert summary["to_tell"] == 3


async def test_a_card_that_cannot_be_made_is_recorded_as_failed(harness: NotifierHarness) -> None:
    applicants = await admit_without_mail(harness, 3)
    async with harness.run_notifier():
        await harness.publish_results(applicants, "lost")
        await harness.publish(complete(await harness.next_event(PrintRequested), failed=1))
        await harness.wait_for_states(made=2, failed=1)


async def test_an_applicant_whose_mailbox_refuses_gets_a_postcard_with_the_same_result(
    harness: NotifierHarness,
) -> None:
    applicants = await harness.admit_people(1, {0: "reject-5xx.a@m.example"})
    async with harness.run_notifier():
        await harness.publish_results(applicants, "won")
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(complete(ordered))
        await harness.wait_for_states(made=1)
    assert "当選" in ordered.items[0].body
    assert ordered.items[0].pass_code == PASS_CODE


async def test_a_bounce_orders_a_card_only_for_the_recipient_of_the_bounced_mail(harness: NotifierHarness) -> None:
    losers = await harness.admit_people(3)
    async with harness.run_notifier() as http:
        await harness.publish_results(losers, "lost")
        await harness.wait_for_states(sent=3)
        notices = await harness.stored_notices()
        bounced = notices[losers[1].application_id].id
        await harness.publish(
            _bounce(harness, bounced, losers[1].token),
            _bounce(harness, bounced, losers[0].token),
            _bounce(harness, notices[losers[0].application_id].id, new_token()),
            _bounce(harness, "n-other", losers[2].token),
        )
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(complete(ordered))
        await harness.wait_for_states(sent=2, made=1)
        summary = (await http.get("/summary")).json()
    assert [card.token for card in ordered.items] == [losers[1].token]
    assert (summary["bounced"], summary["postcards"]) == (1, 1)


async def test_a_bounce_reported_twice_prints_one_card(harness: NotifierHarness) -> None:
    (applicant,) = await harness.admit_people(1)
    async with harness.run_notifier():
        await harness.publish_results([applicant], "won")
        await harness.wait_for_states(sent=1)
        notice = (await harness.stored_notices())[applicant.application_id].id
        await harness.publish(_bounce(harness, notice, applicant.token))
        await harness.publish(complete(await harness.next_event(PrintRequested)))
        await harness.wait_for_states(made=1)
        await harness.publish(_bounce(harness, notice, applicant.token))
        await harness.publish(
            *harness.build_contacts(await harness.admit_people(1, first=5), status="rejected", reasons=("grade",))
        )
        await harness.wait_for_states(made=1, sent=1)


async def test_the_summary_shows_open_notices_against_the_deadline(harness: NotifierHarness) -> None:
    applicants = await admit_without_mail(harness, 2)
    async with harness.run_notifier(gather_s=60) as http:
        await harness.publish_results(applicants, "won")
        await harness.wait_for_states(to_print=2)
        summary = (await http.get("/summary")).json()
    assert summary["to_tell"] == 2
    assert summary["deadline"]["missed"] is True
    assert summary["deadline"]["notify_by"] == harness.campaign.notify_by.isoformat()


async def test_an_erasure_leaves_no_record_and_reports_its_counts(harness: NotifierHarness) -> None:
    applicants = [*await harness.admit_people(4), *await harness.admit_people(2, {0: None, 1: None}, first=10)]
    async with harness.run_notifier():
        await harness.publish_results(applicants, "lost")
        await harness.publish(complete(await harness.next_event(PrintRequested)))
        await harness.wait_for_states(sent=4, made=2)
        await harness.publish(ErasureRequested(campaign=harness.campaign.id, erasure_id="e-1"))
        done = await harness.next_event(ErasureCompleted)
    counted = {store.store: (store.before, store.after, store.result) for store in done.stores}
    assert counted["contacts"] == counted["results"] == counted["notices"] == (6, 0, "PASS")
    assert counted["print_batches"] == (1, 0, "PASS")
    assert all(store.result == "PASS" for store in done.stores)
    names = await harness.store.db.list_collection_names()
    left = "".join([repr(row) for name in names for row in await harness.store.db[name].find().to_list(None)])
    assert not any(applicant.token in left or applicant.application_id in left for applicant in applicants)


def _bounce(harness: NotifierHarness, notice: str, token: str) -> MailBounced:
    return MailBounced.model_validate(
        {"campaign": harness.campaign.id, "notice_id": NoticeId(notice), "token": token, "status": "5.1.1"}
    )


async def _batches_are(harness: NotifierHarness, state: str) -> bool:
    found = await harness.store.db["print_batches"].find().to_list(None)
    return [batch["state"] for batch in found] == [state]
