"""Orders of mails that are refused at once, and what is counted of them; no mail leaves in any of these tests."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.vault.deliveries.reconcile import NoticeCounter
from services.vault.deliveries.repository import COLLECTION, DeliveryRepository
from services.vault.deliveries.rules.states import DeliveryState
from shared.contracts import IssuedSlip, NoticeDocument, SlipsIssued
from tests.support.mail_room_harness import MailDesk, mail_desk, new_notice, person, sign_slip
from tests.support.mail_server import MailServer
from tests.support.scans import watch_scans


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[MailDesk]:
    async with MailServer() as server, mail_desk(mongo_url, namespace, tmp_path, server.port) as one:
        yield one
        assert server.mails == []


async def answered(desk: MailDesk, *documents: NoticeDocument) -> list[str]:
    """Order the documents and return the answers, without running a mail room."""
    before = len(await desk.answers())
    await desk.order(*documents)
    return [answer.answer for answer in (await desk.answers())[before:]]


async def test_documents_with_flaws_are_invalid_counted_and_never_sent(desk: MailDesk) -> None:
    one, other = await desk.vault.admit([person(1), person(2)])
    forged = sign_slip(desk.vault, one) | {"n": 2_000_000}
    documents = [
        desk.result(one, slip=sign_slip(desk.vault, other)),
        desk.result(one, slip=forged, n=2_000_000),
        desk.result(one, kind="free-text"),
        desk.result(one, params={"url": "evil.example"}),
        desk.result(one, slip=None),
        desk.result(one, slip={"v": 2}),
    ]
    assert await answered(desk, *documents) == ["invalid"] * len(documents)
    assert await DeliveryRepository(desk.vault.store).count(DeliveryState.INVALID) == len(documents)


async def test_an_invalid_document_does_not_block_the_right_one(desk: MailDesk) -> None:
    one, other = await desk.vault.admit([person(1), person(2)])
    assert await answered(desk, desk.result(one, slip=sign_slip(desk.vault, other))) == ["invalid"]
    assert await answered(desk, desk.result(one)) == []
    assert await DeliveryRepository(desk.vault.store).count(DeliveryState.QUEUED) == 1


async def test_a_number_below_one_that_the_lottery_issued_is_superseded(desk: MailDesk) -> None:
    (one,) = await desk.vault.admit([person(1)])
    issued = SlipsIssued(campaign=desk.vault.campaign.id, items=(IssuedSlip(token=one.token, n=1_000_001),))
    await desk.vault.store.transact(lambda uow: desk.handlers.on_slips_issued([issued], uow))
    assert await answered(desk, desk.result(one)) == ["superseded"]
    assert await DeliveryRepository(desk.vault.store).count(DeliveryState.INVALID) == 0


async def test_a_replayed_older_slip_is_superseded(desk: MailDesk) -> None:
    (one,) = await desk.vault.admit([person(1)])
    old = desk.result(one)
    assert await answered(desk, desk.result(one, 2_000_000)) == []
    assert await answered(desk, old) == ["superseded"]


async def test_a_kind_without_a_released_text_is_not_released(desk: MailDesk) -> None:
    (one,) = await desk.vault.admit([person(1)])
    changed = sign_slip(
        desk.vault, one, 1_000_001, outcomes=[{"class_id": "junior-football", "outcome": "offered", "seats": 1}]
    )
    document = desk.result(one, 1_000_001, kind="offer", params={"class_id": "junior-football"}, slip=changed)
    assert await answered(desk, document) == ["not-released"]
    await desk.release("offer")
    assert await answered(desk, document) == ["not-released"]
    again = document.model_copy(update={"attempt": 2})
    assert await answered(desk, again) == []


async def test_the_same_key_under_another_notice_is_invalid(desk: MailDesk) -> None:
    (one,) = await desk.vault.admit([person(1)])
    assert await answered(desk, desk.result(one)) == []
    assert await answered(desk, desk.result(one, notice=new_notice())) == ["invalid"]


async def test_a_third_mail_of_one_number_is_invalid(desk: MailDesk) -> None:
    (one,) = await desk.vault.admit([person(1)])
    orders = [desk.result(one, attempt=attempt) for attempt in (1, 2, 3)]
    assert await answered(desk, *orders) == ["invalid"]
    assert await answered(desk, desk.result(one, attempt=4)) == ["invalid"]


async def test_refused_mails_do_not_count_among_the_two(desk: MailDesk) -> None:
    (one,) = await desk.vault.admit([person(1)])
    rows = desk.vault.store.db[COLLECTION]
    for attempt in (1, 2, 3):
        await desk.order(desk.result(one, attempt=attempt))
        await rows.update_many({"state": "queued"}, {"$set": {"state": "later"}, "$unset": {"slot": 1, "slots": 1}})
    assert await answered(desk, desk.result(one, attempt=4)) == []


async def test_a_foreign_campaign_in_a_document_is_invalid(desk: MailDesk) -> None:
    (one,) = await desk.vault.admit([person(1)])
    assert await answered(desk, desk.result(one, campaign="other-campaign")) == ["invalid"]


@pytest.mark.parametrize("changes", [{}, {"n": 2}, {"kind": "rejected"}, {"attempt": 7}])
async def test_an_unknown_token_is_answered_like_every_flaw(desk: MailDesk, changes: dict[str, Any]) -> None:
    one, other = await desk.vault.admit([person(1), person(2, None)])
    register = {"kind": "acknowledgement", "n": 1, "slip": None}
    unknown = desk.result(one, **(register | {"token": "tok_" + 26 * "0"} | changes))
    without_mail = desk.result(other, **(register | changes))
    assert await answered(desk, unknown, without_mail) == ["invalid", "invalid"]


async def test_staff_see_deliveries_by_channel_and_state(desk: MailDesk) -> None:
    one, other = await desk.vault.admit([person(1), person(2)])
    await desk.order(desk.result(one), desk.result(other, kind="free-text"))
    counted = await NoticeCounter(desk.vault.store).deliveries(desk.vault.campaign.id)
    assert counted == {"mail": {"queued": 1, "invalid": 1}, "card": {}}


async def test_a_slip_that_the_notifier_never_ordered_is_a_difference(desk: MailDesk) -> None:
    (one,) = await desk.vault.admit([person(1)])
    issued = SlipsIssued(campaign=desk.vault.campaign.id, items=(IssuedSlip(token=one.token, n=1_000_000),))
    await desk.vault.store.transact(lambda uow: desk.handlers.on_slips_issued([issued], uow))
    counter = NoticeCounter(desk.vault.store)
    counted = await counter.count(desk.vault.campaign.id)
    assert (counted.issued, counted.delivered) == (1, 0)
    assert await counter.receipts(counted) == {one.token: one.receipt}


async def test_no_order_looks_through_all_applications(desk: MailDesk) -> None:
    people = await desk.vault.admit([person(number) for number in range(30)])
    async with watch_scans(desk.vault.store.db) as scans:
        assert await answered(desk, *(desk.result(one, slip={"v": 2}) for one in people)) == ["invalid"] * 30
        assert await answered(desk, *map(desk.result, people)) == []
    assert scans.found == []
