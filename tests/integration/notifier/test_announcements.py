"""Announcements: to everybody or to all who hold a class, several recipients a mail, and cards for those by post."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.notifier import handlers
from services.notifier.announcements import announce
from services.notifier.announcements.announce import AnnouncementService
from shared.approvals import ApprovalKind
from shared.approvals.params import announcement_params
from shared.contracts import MailAnswer, MailBounced, NoticeDocument, PrintRequested
from shared.ids import CampaignId, ClassId, NoticeId
from shared.json_types import JsonObject
from shared.signing import SigningKey
from tests.integration.notifier.test_post import complete
from tests.support.executed_approvals import approval_content, executed
from tests.support.notifier_harness import CLASSES, STAFF, Applicant, NotifierHarness, answer_to, by_mail, by_post, sent

ENTRANCE = {"kind": "entrance-changed", "params": {"entrance": "north"}}
KIND = "entrance-changed"


def approval(kind: str = KIND, class_id: str | None = None, *, again: bool = False, **changes: Any) -> JsonObject:
    """Return an executed approval of this announcement."""
    named = announcement_params(kind, class_id, changes.get("params", ENTRANCE["params"]), again=again)
    content = approval_content(ApprovalKind.RELEASE_NOTICES, "777-days", named, STAFF)
    return executed(content)


async def post(http: httpx.AsyncClient, **changes: Any) -> tuple[int, str]:
    """Announce; return the status code and the number or the problem's name."""
    answer = await http.post("/announcements", json={**ENTRANCE, **changes, "approval": approval(**changes)})
    content = answer.json()
    return answer.status_code, str(content.get("number") or content["type"].rpartition(":")[2])


async def test_an_announcement_to_everybody_shares_mails_within_a_class_of_domains_and_prints_cards(
    harness: NotifierHarness,
) -> None:
    others, carriers, cards = by_mail(60), by_mail(3, "docomo"), by_post(2)
    refused = others[7]

    def answer(document: NoticeDocument) -> MailAnswer:
        hits = [{"token": refused.token, "code": 550}] if refused.token in document.recipients else []
        return answer_to(document, "sent", 250, refused=hits)

    async with harness.run_notifier() as http:
        await harness.publish(*harness.contacts([*others, *carriers, *cards]))
        await harness.wait_for_states("acknowledgement", mailing=63)
        assert await post(http) == (202, "1")
        async with harness.mail_room(answer) as documents:
            await harness.wait_for_states(KIND, sent=62, requested=3)
        printed: list[NoticeDocument] = []
        while len(printed) < 3:
            ordered = await harness.next_event(PrintRequested)
            printed += ordered.items
            await harness.publish(complete(ordered))
        await harness.wait_for_states(KIND, sent=62, made=3)
        (listed,) = (await http.get("/announcements")).json()["announcements"]
        summary = (await http.get("/summary")).json()
    announced = [document for document in documents if document.kind == KIND]
    assert sorted(len(document.recipients) for document in announced) == [1, 1, 1, 10, 50]
    assert all(document.token is None and document.params == {"entrance": "north"} for document in announced)
    domains = {applicant.token: applicant.domain_class for applicant in [*others, *carriers]}
    assert all(len({domains[token] for token in document.recipients}) == 1 for document in announced)  # type: ignore[index]
    assert Counter(token for document in announced for token in document.recipients) == Counter(domains.keys())
    assert {card.token for card in printed} == {refused.token, *(applicant.token for applicant in cards)}
    assert (listed["recipients"], listed["states"]) == (65, {"sent": 62, "made": 3})
    assert (summary["told"], summary["to_tell"]) == (0, 0)


async def test_an_announcement_about_a_class_reaches_its_holders_alone(prepared: NotifierHarness) -> None:
    holders, others = by_mail(3), by_mail(2)
    events = [*prepared.results(holders, "won"), *prepared.results(others, "lost")]
    await prepared.store.transact(lambda uow: handlers.on_contacts(prepared.contacts([*holders, *others]), uow))
    await prepared.store.transact(lambda uow: handlers.on_results(events, uow))
    await make(prepared, ClassId(CLASSES[0]))
    assert set(await prepared.stored(KIND)) == {applicant.token for applicant in holders}


async def test_an_announcement_that_was_interrupted_is_continued_without_doubles(
    prepared: NotifierHarness, monkeypatch: Any
) -> None:
    monkeypatch.setattr(announce, "PART", 4)
    applicants = by_mail(11)
    await prepared.store.transact(lambda uow: handlers.on_contacts(prepared.contacts(applicants), uow))
    service = await make(prepared, None, parts=1)
    assert len(await prepared.stored(KIND)) == 4
    await service.create_notices(prepared.campaign)
    await service.create_notices(prepared.campaign)
    assert set(await prepared.stored(KIND)) == {applicant.token for applicant in applicants}


async def make(harness: NotifierHarness, class_id: ClassId | None, parts: int | None = None) -> AnnouncementService:
    """Announce and create the notices, all or those of some parts."""
    service = AnnouncementService(harness.store)
    approved = approval_content(ApprovalKind.RELEASE_NOTICES, harness.campaign.id, {}, "office-1")
    await service.announce(harness.campaign, KIND, class_id, {"entrance": "north"}, approved)
    if parts is None:
        await service.create_notices(harness.campaign)
    for _ in range(parts or 0):
        await service.create_part(harness.campaign.id)
    return service


async def test_a_mail_to_several_that_is_refused_is_sent_one_by_one_and_reports_are_matched_within_it(
    harness: NotifierHarness,
) -> None:
    applicants = by_mail(3)

    def answer(document: NoticeDocument) -> MailAnswer:
        return answer_to(document, "refused", 554) if len(document.recipients) == 3 else sent(document)

    async with harness.mail_room(answer) as documents, harness.run_notifier(gather_s=60) as http:
        await harness.publish(*harness.contacts(applicants))
        await harness.wait_for_states("acknowledgement", sent=3)
        assert await post(http) == (202, "1")
        await harness.wait_for_states(KIND, sent=3)
        await harness.publish(_report(harness, await _document_of(harness, applicants[0]), None))
        await harness.wait_for_states(KIND, sent=2, bounced=1)
    announced = [document for document in documents if document.kind == KIND]
    assert [len(document.recipients) for document in announced] == [3, 1, 1, 1]


async def test_a_report_on_a_shared_mail_moves_its_recipient_or_is_counted(harness: NotifierHarness) -> None:
    applicants = by_mail(3)
    async with harness.mail_room(), harness.run_notifier(gather_s=60) as http:
        await harness.publish(*harness.contacts(applicants))
        await harness.wait_for_states("acknowledgement", sent=3)
        assert await post(http) == (202, "1")
        await harness.wait_for_states(KIND, sent=3)
        shared_id = await _document_of(harness, applicants[0])
        await harness.publish(_report(harness, shared_id, None), _report(harness, shared_id, applicants[1].token))
        await harness.wait_for_states(KIND, sent=2, bounced=1)
        (listed,) = (await http.get("/announcements")).json()["announcements"]
    assert (await harness.stored(KIND))[applicants[1].token].state == "bounced"
    assert listed["unmatched_reports"] == 1


async def _document_of(harness: NotifierHarness, applicant: Applicant) -> NoticeId:
    return (await harness.stored(KIND))[applicant.token].document


def _report(harness: NotifierHarness, notice: NoticeId, token: str | None) -> MailBounced:
    facts = {"campaign": harness.campaign.id, "notice_id": notice, "token": token, "status": "5.1.1"}
    return MailBounced.model_validate(facts)


async def test_a_wrong_or_repeated_announcement_is_refused(harness: NotifierHarness) -> None:
    async with harness.run_notifier() as http:
        assert await post(http, kind="result") == (422, "wrong-announcement")
        assert await post(http, params={}) == (422, "wrong-announcement")
        assert await post(http, params={"entrance": "http://evil.example"}) == (422, "invalid")
        assert await post(http, params={"entrance": "roof"}) == (422, "wrong-announcement")
        assert await post(http, params={"entrance": "north", "text": "hello"}) == (422, "wrong-announcement")
        assert await post(http, class_id="no-such-class") == (422, "unknown-class")
        assert await post(http) == (202, "1")
        assert await post(http) == (409, "announced-already")
        assert await post(http, again=True) == (202, "2")
        assert await post(http, params={"entrance": "south"}) == (202, "3")


async def test_an_announcement_needs_an_unused_approval_of_exactly_this_text(harness: NotifierHarness) -> None:
    named = announcement_params(KIND, None, ENTRANCE["params"], again=False)
    right = approval_content(ApprovalKind.RELEASE_NOTICES, harness.campaign.id, named, STAFF)
    past = datetime.now(UTC) - timedelta(seconds=1)
    wrong = {
        "malformed": {},
        "foreign-signature": executed(right, SigningKey.generate()),
        "other-kind": executed(replace(right, kind=ApprovalKind.REDRAW)),
        "other-campaign": executed(replace(right, campaign=CampaignId("another"))),
        "other-person": executed(replace(right, requested_by="somebody-else")),
        "other-params": executed(replace(right, params=announcement_params(KIND, None, {}, again=False))),
        "expired": executed(replace(right, expires=past)),
    }
    async with harness.run_notifier() as http:
        for reason, document in wrong.items():
            refused = await http.post("/announcements", json={**ENTRANCE, "approval": document})
            assert (refused.status_code, refused.json()["reason"]) == (409, reason)
        body = {**ENTRANCE, "approval": executed(right)}
        answers = await asyncio.gather(*(http.post("/announcements", json=body) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
        assert {answer.json().get("reason") for answer in answers} == {None, "used"}
        assert len((await http.get("/announcements")).json()["announcements"]) == 1
