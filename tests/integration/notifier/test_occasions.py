"""Notices by occasion: a rejection, each draw, each later change of places."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notifier import handlers
from shared.contracts import PlaceOffer, PlacesOffered, PrintRequested, ResultsPublished
from shared.ids import ClassId, DrawId
from tests.support.mail_server import MailServer
from tests.support.notifier_harness import CLASSES, PASS_CODE, PASS_TEXT, NotifierHarness
from tests.support.vault_parts import Known


def build_offers(
    harness: NotifierHarness, applicants: list[Known], number: int, draw: str = "d-1", **changed: Any
) -> PlacesOffered:
    facts: dict[str, Any] = {
        "occasion": f"{draw}-{number}",
        "class_id": ClassId(CLASSES[0]),
        "seats": 1,
        "state": "offered",
        "answer_by": datetime(2018, 6, 5, 9, tzinfo=UTC),
        "pass_code": PASS_CODE,
        "class_pass": PASS_TEXT,
        **changed,
    }
    items = tuple(PlaceOffer(application_id=applicant.application_id, **facts) for applicant in applicants)
    return PlacesOffered(campaign=harness.campaign.id, draw=DrawId(draw), items=items)


def build_results_of(
    harness: NotifierHarness, applicants: list[Known], draw: str, *outcomes: str
) -> list[ResultsPublished]:
    return [event.model_copy(update={"draw": DrawId(draw)}) for event in harness.build_results(applicants, *outcomes)]


@pytest.fixture
async def prepared(harness: NotifierHarness) -> NotifierHarness:
    """Return the harness with a database of an earlier version, prepared by a start, and no running instance."""
    await harness.store.db["notices"].create_index("application_id", unique=True)
    await harness.prepare_database()
    return harness


async def list_occasions(harness: NotifierHarness) -> list[tuple[str, str, str]]:
    found = harness.store.db["notices"].find().sort([("occasion", 1), ("state", 1)])
    return [(notice["occasion"], notice["kind"], notice["state"]) async for notice in found]


async def test_an_offer_is_mailed_with_its_pass_and_printed_for_those_without_mail(
    harness: NotifierHarness, mta: MailServer
) -> None:
    by_mail, by_post = await harness.admit_people(2, {1: None})
    async with harness.run_notifier(gather_s=0):
        await harness.publish_results([by_mail, by_post], "waiting")
        await harness.wait_for_states(sent=1, post=1)
        first = await harness.next_event(PrintRequested)
        await harness.publish(
            build_offers(harness, [by_mail], 1),
            build_offers(harness, [by_mail], 1),
            build_offers(harness, [by_post], 2),
        )
        await harness.wait_for_states(sent=2, post=2)
        card = (await harness.next_event(PrintRequested)).items[0]
    assert first.items[0].notice_id != card.notice_id
    assert (card.token, card.pass_code, [class_pass.code for class_pass in card.passes]) == (
        by_post.token,
        PASS_CODE,
        [PASS_TEXT],
    )
    assert "2018年6月5日（火）18:00" in card.body
    (mail,) = [mail for mail in mta.mails if b"pass-1.png" in mail.content]
    assert mail.recipients == (by_mail.person.email,)


async def test_an_offer_consumed_before_its_contact_creates_a_notice_when_the_contact_comes(
    prepared: NotifierHarness,
) -> None:
    applicants = await prepared.admit_people(1)
    event = build_offers(prepared, applicants, 4, corrected=True, state="held", answer_by=None)
    await prepared.store.transact(lambda uow: handlers.on_places([event], uow))
    assert await list_occasions(prepared) == []
    contacts = prepared.build_contacts(applicants, status="rejected", reasons=["grade"])
    await prepared.store.transact(lambda uow: handlers.on_contacts(contacts, uow))
    assert [(occasion, kind) for occasion, kind, _ in await list_occasions(prepared)] == [
        ("d-1-4", "offer"),
        ("rejected", "rejected"),
    ]


async def test_a_redraw_creates_new_notices_and_replaces_those_not_sent(prepared: NotifierHarness) -> None:
    notified, waiting = await prepared.admit_people(2)
    both = [notified, waiting]
    await prepared.store.transact(lambda uow: handlers.on_contacts(prepared.build_contacts(both), uow))
    await prepared.store.transact(lambda uow: handlers.on_results(build_results_of(prepared, both, "d-1", "won"), uow))
    sent = {"application_id": notified.application_id}
    await prepared.store.db["notices"].update_one(sent, {"$set": {"state": "sent"}})
    for late in range(2):
        await prepared.store.transact(
            lambda uow: handlers.on_results(build_results_of(prepared, both, "d-2", "lost"), uow)
        )
        if late == 0:
            await prepared.store.transact(
                lambda uow: handlers.on_results(build_results_of(prepared, both, "d-1", "won"), uow)
            )
            await prepared.store.transact(lambda uow: handlers.on_places([build_offers(prepared, both, 3)], uow))
    assert await list_occasions(prepared) == [
        ("d-1", "result", "replaced"),
        ("d-1", "result", "sent"),
        ("d-2", "result", "pending"),
        ("d-2", "result", "pending"),
    ]
    results = await prepared.store.db["results"].find().to_list(None)
    assert {result["draw"] for result in results} == {"d-2"}
