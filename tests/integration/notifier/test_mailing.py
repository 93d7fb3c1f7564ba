"""Notices by mail: orders to the vault's mail room, its answers in any order, and reports that come at any time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest

from services.notifier import handlers
from services.notifier.mail.answers import MailAnswers
from services.notifier.mail.dispatch import MailDispatcher
from services.notifier.rules.answers import Waits
from services.notifier.rules.notice import Notice
from services.notifier.rules.pacing import Pacing
from shared.contracts import MailAnswer, MailBounced, MailCompleted, MailRequested, NoticeDocument
from shared.ids import NoticeId, new_token
from shared.storage import OUTBOX
from tests.support.notifier_harness import (
    FIRST,
    Applicant,
    NotifierHarness,
    answer_to,
    answering,
    by_mail,
    sent,
)
from tests.support.waiting import until

ANSWERS = MailAnswers(Waits((0.0, 0.0), 0.0))


async def test_each_result_is_ordered_as_a_single_mail_with_its_slip_and_nothing_of_a_person(
    harness: NotifierHarness,
) -> None:
    applicants = by_mail(120)
    async with harness.mail_room() as documents, harness.run_notifier() as http:
        await harness.publish_results(applicants, "won", "refused")
        await harness.wait_for_states(sent=120)
        summary = (await http.get("/summary")).json()
    results = [document for document in documents if document.kind == "result"]
    assert sorted(str(document.token) for document in results) == sorted(applicant.token for applicant in applicants)
    assert {document.channel for document in results} == {"mail"}
    assert all(
        document.slip == harness.slip(_of(document, applicants), "won", "refused").to_document() for document in results
    )
    assert (summary["told"], summary["to_tell"]) == (120, 0)


def _of(document: NoticeDocument, applicants: Sequence[Applicant]) -> Applicant:
    return next(applicant for applicant in applicants if applicant.token == document.token)


async def test_a_rejected_applicant_is_notified_at_once_and_without_a_slip(harness: NotifierHarness) -> None:
    async with harness.mail_room() as documents, harness.run_notifier():
        await harness.publish(*harness.contacts(by_mail(1), status="rejected", version=3))
        await harness.wait_for_states(sent=1)
    assert [(document.kind, document.n, document.slip) for document in documents] == [("rejected", 3, None)]


async def test_a_changed_place_is_ordered_with_its_class(harness: NotifierHarness) -> None:
    applicants = by_mail(1)
    async with harness.mail_room() as documents, harness.run_notifier():
        await harness.publish(*harness.contacts(applicants), harness.places(applicants, "offer", "offered", FIRST + 1))
        await harness.wait_for_states(sent=1)
    (offer,) = [document for document in documents if document.kind == "offer"]
    assert offer.params == {"class_id": "junior-football"}


async def test_an_applicant_whose_mailbox_refuses_goes_by_post_and_the_others_get_their_mail(
    harness: NotifierHarness,
) -> None:
    applicants = by_mail(25)
    refused = {applicants[number].token: ("refused", 550) for number in (7, 20, 24)}
    async with harness.mail_room(answering(refused)), harness.run_notifier(gather_s=60) as http:
        await harness.publish(*harness.contacts(applicants))
        await harness.wait_for_states("acknowledgement", sent=22, undelivered=3)
        await harness.publish(*harness.results(applicants, "lost"))
        await harness.wait_for_states(sent=22, to_print=3)
        listed = (await http.get("/notices")).json()["notices"]
        pages = [page async for page in _pages(http, "/notices", "notices", limit=20)]
        of_sent = [page async for page in _pages(http, "/notices?state=sent", "notices", limit=22)]
        refusals = [(await http.get(f"/notices?{query}")).status_code for query in ("limit=0", "limit=1001")]
    assert [len(page) for page in pages] == [20, 20, 10]
    assert sorted(row["id"] for page in pages for row in page) == sorted(row["id"] for row in listed)
    assert [{row["state"] for row in page} for page in of_sent] == [{"sent"}, {"sent"}]
    assert refusals == [422, 422]
    by_card = [notice for notice in listed if notice["state"] == "to_print"]
    assert {notice["receipt"] for notice in by_card} == {applicants[number].receipt for number in (7, 20, 24)}
    assert {(notice["code"], notice["way"]) for notice in by_card} == {("550", "card")}
    assert "tok_" not in str(listed)


async def test_a_mail_that_is_refused_for_now_is_ordered_again_with_the_next_number_and_then_goes_by_post(
    harness: NotifierHarness,
) -> None:
    applicants = by_mail(2)
    asked: list[int] = []

    def answer(document: NoticeDocument) -> MailAnswer:
        if document.token == applicants[0].token:
            asked.append(document.attempt)
            return answer_to(document, "later", 451)
        return answer_to(document, "later", 451) if document.attempt == 1 else sent(document)

    async with harness.mail_room(answer), harness.run_notifier(gather_s=60):
        await harness.publish(*harness.contacts(applicants, status="rejected"))
        await harness.wait_for_states(sent=1, to_print=1)
    assert asked == [1, 2, 3, 4]


async def test_a_text_that_is_not_released_is_asked_for_again_until_it_is(harness: NotifierHarness) -> None:
    released = asyncio.Event()

    def answer(document: NoticeDocument) -> MailAnswer:
        return sent(document) if released.is_set() else answer_to(document, "not-released")

    applicants = by_mail(1)
    async with harness.mail_room(answer) as documents, harness.run_notifier():
        await harness.publish(*harness.contacts(applicants, status="rejected"))
        await until(lambda: len(documents) >= 3)
        released.set()
        await harness.wait_for_states(sent=1)
    assert [document.attempt for document in documents] == list(range(1, len(documents) + 1))


async def test_an_order_that_the_vault_calls_invalid_raises_an_alarm_and_waits_for_a_handler(
    harness: NotifierHarness,
) -> None:
    applicants = by_mail(1)
    async with (
        harness.mail_room(answering({applicants[0].token: ("invalid", None)})),
        harness.run_notifier() as http,
    ):
        await harness.publish(*harness.contacts(applicants, status="rejected"))
        await harness.wait_for_states(invalid=1)
        health = (await http.get(str(http.base_url.copy_with(path="/health/ready")))).json()
        (listed,) = (await http.get("/notices")).json()["notices"]
        decided = await _resolve(http, listed["id"], "post")
    assert health["alarms"]["invalid_notices"] == 1
    assert decided == (200, "to_print")


async def test_a_mail_whose_answer_was_lost_is_not_ordered_again_until_a_handler_decides_and_at_most_once_more(
    harness: NotifierHarness,
) -> None:
    applicants = by_mail(1)
    async with (
        harness.mail_room(answering({applicants[0].token: ("unknown", None)})) as documents,
        harness.run_notifier(gather_s=60) as http,
    ):
        await harness.publish(*harness.contacts(applicants, status="rejected"))
        await harness.wait_for_states(unknown=1)
        (notice,) = (await http.get("/notices")).json()["notices"]
        assert len(documents) == 1
        assert await _resolve(http, notice["id"], "again") == (200, "pending")
        await until(lambda: len(documents) == 2)
        await harness.wait_for_states(unknown=1)
        assert await _resolve(http, notice["id"], "again") == (409, "not-to-decide")
        assert await _resolve(http, notice["id"], "post") == (200, "to_print")
    assert [document.attempt for document in documents] == [1, 2]


async def _pages(http: httpx.AsyncClient, path: str, name: str, *, limit: int) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the pages of a list until the answer names no next one."""
    after = ""
    while after is not None:
        joined = f"{path}{'&' if '?' in path else '?'}limit={limit}&after={after}"
        answer = (await http.get(joined)).json()
        yield answer[name]
        after = answer["next"]


async def _resolve(http: httpx.AsyncClient, notice: str, decision: str) -> tuple[int, str]:
    answer = await http.post(f"/notices/{notice}/resolve", json={"decision": decision})
    content = answer.json()
    return answer.status_code, content.get("state") or content["type"].rpartition(":")[2]


async def test_three_instances_order_each_mail_once(harness: NotifierHarness) -> None:
    applicants = by_mail(210)
    async with harness.mail_room() as documents, harness.run_notifier(), harness.run_notifier(), harness.run_notifier():
        await harness.publish(*harness.contacts(applicants, status="rejected"))
        await harness.wait_for_states(sent=210)
    assert sorted(str(document.token) for document in documents) == sorted(applicant.token for applicant in applicants)


async def test_an_order_is_answered_after_the_notifier_was_away(harness: NotifierHarness) -> None:
    applicants = by_mail(5)
    async with harness.run_notifier():
        await harness.publish(*harness.contacts(applicants, status="rejected"))
        await harness.wait_for_states(mailing=5)
    async with harness.mail_room() as documents, harness.run_notifier():
        await harness.wait_for_states(sent=5)
    assert len(documents) == 5


async def test_a_class_of_mail_domains_gets_mail_no_faster_than_its_pace_and_holds_up_no_other(
    harness: NotifierHarness,
) -> None:
    slow, fast = by_mail(6, "docomo"), by_mail(20)
    async with harness.mail_room(), harness.run_notifier(pace_per_s={"docomo": 4.0}):
        started = asyncio.get_running_loop().time()
        await harness.publish(*harness.contacts([*slow, *fast], status="rejected"))
        await harness.wait_for_states(sent=26)
    assert asyncio.get_running_loop().time() - started >= 1.25


# Answers and reports in any order: the handlers alone, without a broker.


@pytest.fixture
async def ordered(prepared: NotifierHarness) -> NotifierHarness:
    """Return the harness with one ordered result mail."""
    await _order(prepared, by_mail(1))
    return prepared


async def _order(harness: NotifierHarness, applicants: Sequence[Applicant]) -> None:
    results, contacts = harness.results(applicants, "won"), harness.contacts(applicants)
    await harness.store.transact(lambda uow: handlers.on_results(results, uow))
    await harness.store.transact(lambda uow: handlers.on_contacts(contacts, uow))
    await _dispatch(harness)


async def _dispatch(harness: NotifierHarness, silence_s: float = 60) -> MailDispatcher:
    dispatcher = MailDispatcher(harness.store, Pacing({}), (), silence_s=silence_s)
    await dispatcher.order_due_mails(harness.campaign)
    return dispatcher


async def _only(harness: NotifierHarness) -> Notice:
    (notice,) = (await harness.stored("result")).values()
    return notice


async def _answer(harness: NotifierHarness, name: str, attempt: int = 1, code: int | None = None) -> None:
    facts = {"notice": (await _only(harness)).id, "attempt": attempt, "answer": name, "code": code}
    event = MailCompleted(campaign=harness.campaign.id, items=(MailAnswer.model_validate(facts),))
    await harness.store.transact(lambda uow: ANSWERS.on_completed([event], uow))


async def _bounce(harness: NotifierHarness, notice: str | None = None, **changes: object) -> None:
    facts = {"campaign": harness.campaign.id, "notice_id": notice or (await _only(harness)).id, "status": "5.1.1"}
    event = MailBounced.model_validate(facts | changes)
    await harness.store.transact(lambda uow: ANSWERS.on_bounced([event], uow))


async def test_a_bounce_before_the_answer_decides(ordered: NotifierHarness) -> None:
    await _bounce(ordered)
    await _answer(ordered, "sent", code=250)
    notice = await _only(ordered)
    assert (notice.state, notice.way, notice.mails, notice.sent_at is not None) == ("bounced", "card", 1, True)


async def test_a_second_answer_changes_nothing(ordered: NotifierHarness) -> None:
    await _answer(ordered, "sent", code=250)
    before = await _only(ordered)
    for name in ("refused", "later", "unknown", "invalid", "sent"):
        await _answer(ordered, name)
    assert await _only(ordered) == before


async def test_an_answer_to_an_earlier_order_changes_nothing(ordered: NotifierHarness) -> None:
    await _answer(ordered, "later", code=451)
    await _dispatch(ordered)
    await _answer(ordered, "refused", attempt=1, code=550)
    assert ((await _only(ordered)).state, (await _only(ordered)).attempts) == ("mailing", 2)
    await _answer(ordered, "sent", attempt=2, code=250)
    assert (await _only(ordered)).state == "sent"


async def test_a_late_answer_moves_an_unknown_notice_on(ordered: NotifierHarness) -> None:
    await (await _dispatch(ordered, silence_s=-1)).give_up_waiting(ordered.campaign)
    assert ((await _only(ordered)).state, (await _only(ordered)).code) == ("unknown", "no-answer")
    await _answer(ordered, "sent", code=250)
    assert ((await _only(ordered)).state, (await _only(ordered)).mails) == ("sent", 1)


async def test_a_silent_mail_room_gets_no_second_order(ordered: NotifierHarness) -> None:
    await (await _dispatch(ordered, silence_s=-1)).give_up_waiting(ordered.campaign)
    await _dispatch(ordered)
    assert await ordered.store.db[OUTBOX].count_documents({"name": MailRequested.name}) == 1


Act = Callable[[NotifierHarness], Awaitable[None]]

ENDINGS: dict[str, Act] = {
    "refused": lambda harness: _answer(harness, "refused", code=550),
    "later": lambda harness: _answer(harness, "later", code=451),
    "unknown": lambda harness: _answer(harness, "unknown"),
    "not-released": lambda harness: _answer(harness, "not-released"),
    "superseded": lambda harness: _answer(harness, "superseded"),
    "invalid": lambda harness: _answer(harness, "invalid"),
    "bounced": _bounce,
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_mail_of_an_older_slip_that_did_not_arrive_is_replaced(ordered: NotifierHarness, ending: str) -> None:
    applicant = Applicant(token=(await _only(ordered)).token)
    newer = ordered.places([applicant], "offer", "offered", FIRST + 1)
    await ordered.store.transact(lambda uow: handlers.on_places([newer], uow))
    assert (await _only(ordered)).state == "mailing"
    await ENDINGS[ending](ordered)
    assert (await _only(ordered)).state == "replaced"
    assert [notice.state for notice in (await ordered.stored("offer")).values()] == ["pending"]


async def test_a_report_on_a_mail_that_was_never_sent_changes_nothing(prepared: NotifierHarness) -> None:
    applicants = by_mail(1)
    await prepared.store.transact(lambda uow: handlers.on_results(prepared.results(applicants, "won"), uow))
    await prepared.store.transact(lambda uow: handlers.on_contacts(prepared.contacts(applicants), uow))
    await _bounce(prepared)
    assert (await _only(prepared)).state == "pending"


async def test_a_report_with_a_foreign_token_or_notice_changes_nothing(ordered: NotifierHarness) -> None:
    await _answer(ordered, "sent", code=250)
    await _bounce(ordered, token=new_token())
    await _bounce(ordered, "n-00000000000000000000")
    await _bounce(ordered, campaign="another")
    assert (await _only(ordered)).state == "sent"


async def test_a_second_clearer_report_decides(ordered: NotifierHarness) -> None:
    await _answer(ordered, "sent", code=250)
    await _bounce(ordered, status="5.0.0", verdict="unclear")
    assert (await _only(ordered)).state == "unclear"
    await _bounce(ordered)
    assert (await _only(ordered)).state == "bounced"


async def test_notice_ids_are_random(prepared: NotifierHarness) -> None:
    """Compare ids of many notices: a mail server sees them in bounce addresses."""
    applicants = by_mail(2)
    seen: set[NoticeId] = set()
    for _ in range(2):
        await _order(prepared, applicants)
        seen |= {notice.id for notice in (await prepared.stored()).values()}
        for name in ("notices", "slips", "contacts"):
            await prepared.store.db[name].delete_many({})
    assert len(seen) == 4
