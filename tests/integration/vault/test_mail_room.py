"""The mail room on a real database and mail server: each document is sent once, and its answer is published."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.vault.deliveries.repository import COLLECTION, DeliveryRepository
from services.vault.deliveries.rules.delivery import Delivery, Outcome
from services.vault.deliveries.rules.states import DeliveryState
from shared.storage import StoreUnavailableError, UnitOfWork
from tests.support.mail_room_harness import QUICK, MailDesk, mail_desk, person, sign_slip
from tests.support.mail_server import MailServer
from tests.support.waiting import until


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as one:
        yield one


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path, server: MailServer) -> AsyncIterator[MailDesk]:
    async with mail_desk(mongo_url, namespace, tmp_path, server.port) as one:
        yield one


async def test_a_result_reaches_its_applicant_with_name_receipt_and_pass(desk: MailDesk, server: MailServer) -> None:
    known = await desk.vault.admit([person(1), person(2)])
    documents = [desk.result(one) for one in known]
    await desk.order(*documents)
    async with desk.running():
        answers = await desk.wait_for_answers(2)
    assert {(answer.notice, answer.answer, answer.code) for answer in answers} == {
        (document.notice, "sent", 250) for document in documents
    }
    mail = next(mail for mail in server.mails if mail.recipients == ("person1@mail.example",))
    text, picture = list(mail.message.walk())[1:]
    assert mail.message["To"] == "person1@mail.example"
    assert known[0].receipt in text.get_content()
    assert known[0].person.name in text.get_content()
    assert known[1].person.name not in mail.all_text()
    assert picture.get_content_type() == "image/png"
    assert mail.sender.startswith(f"b+{documents[0].notice[2:]}.")


async def test_every_mail_has_an_audit_line_before_it_is_sent(desk: MailDesk, server: MailServer) -> None:
    (known,) = await desk.vault.admit([person(1)])
    document = desk.result(known)
    await desk.order(document)
    async with desk.running():
        await desk.wait_for_answers(1)
    lines = [line for line in (await desk.vault.audited()).splitlines() if f"reveal:{document.notice}" in line]
    assert len(lines) == len(server.mails) == 1
    assert known.person.name not in lines[0]


async def test_a_repeated_order_is_answered_again_and_sent_once(desk: MailDesk, server: MailServer) -> None:
    (known,) = await desk.vault.admit([person(1)])
    document = desk.result(known)
    await desk.order(document)
    async with desk.running():
        await desk.wait_for_answers(1)
        await desk.order(document)
        first, second = await desk.wait_for_answers(2)
    assert first == second
    assert len(server.mails) == 1


async def test_the_slip_goes_when_the_mail_is_settled(desk: MailDesk) -> None:
    (known,) = await desk.vault.admit([person(1)])
    await desk.order(desk.result(known))
    before = await desk.vault.store.db[COLLECTION].find_one({})
    async with desk.running():
        await desk.wait_for_answers(1)
    after = await desk.vault.store.db[COLLECTION].find_one({})
    assert before is not None
    assert "slip" in before
    assert after is not None
    assert "slip" not in after


@pytest.mark.parametrize(
    ("mailbox", "answer", "code"),
    [
        ("reject-5xx@mail.example", "refused", 550),
        ("defer-4xx@mail.example", "later", 451),
        ("spam-554@mail.example", "refused", 554),
        ("busy-452@mail.example", "later", 452),
        ("mute@mail.example", "unknown", None),
    ],
)
async def test_an_answer_says_the_mail_servers_code_and_nothing_else(
    desk: MailDesk, mailbox: str, answer: str, code: int | None
) -> None:
    (known,) = await desk.vault.admit([person(1, mailbox)])
    document = desk.result(known)
    await desk.order(document)
    async with desk.running():
        (answered,) = await desk.wait_for_answers(1)
    expected = {"notice": document.notice, "attempt": 1, "answer": answer, "refused": []}
    assert answered.model_dump(mode="json") == expected | ({} if code is None else {"code": code})


async def test_a_recipient_at_whom_sessions_end_is_tried_later_and_holds_up_nobody(desk: MailDesk) -> None:
    known = await desk.vault.admit([person(1, "hangup@mail.example"), person(2), person(3)])
    documents = [desk.result(one) for one in known]
    await desk.order(*documents)
    async with desk.running():
        answers = {answer.notice: answer.answer for answer in await desk.wait_for_answers(3)}
    assert [answers[document.notice] for document in documents] == ["later", "sent", "sent"]


async def test_mails_wait_in_the_vault_while_the_mail_server_is_away(desk: MailDesk, server: MailServer) -> None:
    known = await desk.vault.admit([person(number) for number in range(3)])
    await server.close()
    await desk.order(*(desk.result(one) for one in known))
    async with desk.running() as room:

        async def waits() -> bool:
            return await room.waiting_for_server() == len(known)

        await until(waits)
        assert await desk.answers() == []
        await server.open(server.port)
        answers = await desk.wait_for_answers(3)
        assert await room.waiting_for_server() == 0
    assert [answer.answer for answer in answers] == ["sent"] * 3
    assert len(server.mails) == len(known)


async def test_after_a_crash_only_mails_that_may_have_left_are_unknown(desk: MailDesk, server: MailServer) -> None:
    known = await desk.vault.admit([person(number) for number in range(4)])
    documents = [desk.result(one) for one in known]
    await desk.order(*documents)
    deliveries = DeliveryRepository(desk.vault.store)
    claimed = await deliveries.claim("of the killed process", 4, 0.2)
    await deliveries.begin("of the killed process", [one.id for one in claimed[:2]], 0.2)
    async with desk.running():
        answers = {answer.notice: answer.answer for answer in await desk.wait_for_answers(4)}
    in_doubt = {one.notice for one in claimed[:2]}
    assert answers == {one.notice: "unknown" if one.notice in in_doubt else "sent" for one in claimed}
    assert len(server.mails) == 2


async def test_a_reply_that_comes_after_the_take_over_corrects_unknown(desk: MailDesk) -> None:
    (known,) = await desk.vault.admit([person(1, "slow@mail.example")])
    await desk.order(desk.result(known))
    async with desk.running():

        async def is_committing() -> bool:
            return await DeliveryRepository(desk.vault.store).count(DeliveryState.COMMITTING) == 1

        await until(is_committing)
        await desk.vault.store.db[COLLECTION].update_one({}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}])
        answers = [answer.answer for answer in await desk.wait_for_answers(2)]
    assert answers == ["unknown", "sent"]


async def test_a_slip_that_was_overtaken_before_its_mail_left_is_superseded(desk: MailDesk, server: MailServer) -> None:
    (known,) = await desk.vault.admit([person(1)])
    old, new = desk.result(known), desk.result(known, 2_000_000)
    await desk.order(old)
    await desk.order(new)
    async with desk.running():
        answers = {answer.notice: answer.answer for answer in await desk.wait_for_answers(2)}
    assert answers == {old.notice: "superseded", new.notice: "sent"}
    assert len(server.mails) == 1


async def test_stopping_leaves_the_rest_for_the_next_start(desk: MailDesk, server: MailServer) -> None:
    known = await desk.vault.admit([person(number, f"slow{number}@mail.example") for number in range(6)])
    await desk.order(*(desk.result(one) for one in known))
    room = desk.new_room(sessions=2)
    room.start()
    await until(lambda: server.mails)
    await room.stop(10)
    assert len(await desk.answers()) == len(server.mails) < len(known)
    async with desk.running(sessions=6):
        answers = await desk.wait_for_answers(6)
    assert [answer.answer for answer in answers] == ["sent"] * 6
    assert len(server.mails) == len(known)


async def test_a_foreign_signature_is_answered_invalid(desk: MailDesk, server: MailServer) -> None:
    (known,) = await desk.vault.admit([person(1)])
    slip = sign_slip(desk.vault, known) | {"receipt": "W-0000-0000-0"}
    await desk.order(desk.result(known, slip=slip))
    assert [answer.answer for answer in await desk.answers()] == ["invalid"]
    assert server.mails == []


async def test_an_outcome_is_written_although_the_database_fails_at_first(
    desk: MailDesk, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (known,) = await desk.vault.admit([person(1)])
    await desk.order(desk.result(known))
    settle, failures = DeliveryRepository.settle, [StoreUnavailableError("no primary")] * 3

    async def settle_at_last(self: DeliveryRepository, uow: UnitOfWork, outcomes: Mapping[str, Outcome]) -> None:
        if failures:
            raise failures.pop()
        await settle(self, uow, outcomes)

    monkeypatch.setattr(DeliveryRepository, "settle", settle_at_last)
    async with desk.running():
        (answered,) = await desk.wait_for_answers(1)
    assert (answered.answer, len(server.mails)) == ("sent", 1)


async def test_a_claim_whose_answer_is_lost_is_given_back_at_once(
    desk: MailDesk, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (known,) = await desk.vault.admit([person(1)])
    await desk.order(desk.result(known))
    claim, failures = DeliveryRepository.claim, [StoreUnavailableError("no primary")]

    async def claim_without_answer(self: DeliveryRepository, mark: str, limit: int, lease_s: float) -> list[Delivery]:
        claimed = await claim(self, mark, limit, lease_s)
        if claimed and failures:
            raise failures.pop()
        return claimed

    monkeypatch.setattr(DeliveryRepository, "claim", claim_without_answer)
    async with desk.running(replace(QUICK, lease_s=600)):
        (answered,) = await desk.wait_for_answers(1)
    assert (answered.answer, len(server.mails), failures) == ("sent", 1, [])


async def test_after_an_outage_other_processes_get_time_to_write_their_outcomes(
    desk: MailDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (known,) = await desk.vault.admit([person(1)])
    document = desk.result(known)
    await desk.order(document)
    store, asked = desk.vault.store, 0
    of_other_process = [{"$set": {"state": "committing", "until": {"$subtract": ["$$NOW", 1]}}}]
    await store.db[COLLECTION].update_one({}, of_other_process)
    expired = DeliveryRepository.expired

    async def fail_at_first(self: DeliveryRepository, uow: UnitOfWork, limit: int) -> list[Delivery]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise StoreUnavailableError("no primary")
        return await expired(self, uow, limit)

    monkeypatch.setattr(DeliveryRepository, "expired", fail_at_first)
    async with desk.running(replace(QUICK, lease_s=1.5)):
        await until(lambda: asked == 1)
        await asyncio.sleep(0.5)  # as long as another process may need: less than the lease, more than a turn
        row = await store.db[COLLECTION].find_one({})
        assert row is not None
        assert row["state"] == "committing"
        sent = {row["_id"]: Outcome(DeliveryState.SENT, 250)}
        await store.transact(lambda uow: DeliveryRepository(store).settle(uow, sent))
        await until(lambda: asked > 1)
    assert await desk.answers() == []


async def test_stopping_ends_although_the_database_stays_away(
    desk: MailDesk, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (known,) = await desk.vault.admit([person(1)])
    await desk.order(desk.result(known))

    async def fail(_: DeliveryRepository, __: UnitOfWork, ___: Mapping[str, Outcome]) -> None:
        raise StoreUnavailableError("no primary")

    with monkeypatch.context() as away:
        away.setattr(DeliveryRepository, "settle", fail)
        room = desk.new_room()
        room.start()
        await until(lambda: server.mails)
        await room.stop(0.2)
    await desk.vault.store.db[COLLECTION].update_one({}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}])
    async with desk.running():
        (answered,) = await desk.wait_for_answers(1)
    assert (answered.answer, len(server.mails)) == ("unknown", 1)


async def test_no_log_line_holds_a_text_or_an_address(desk: MailDesk, caplog: pytest.LogCaptureFixture) -> None:
    mailboxes = ["", "reject-5xx@mail.example", "mute@mail.example", "hangup@mail.example"]
    known = await desk.vault.admit([person(number, mailbox) for number, mailbox in enumerate(mailboxes)])
    with capture_logs() as events:
        await desk.order(*(desk.result(one) for one in known), desk.result(known[0], kind="free-text", attempt=2))
        async with desk.running():
            await desk.wait_for_answers(5)
    logged = f"{events}{caplog.text}"
    assert "notice-document-invalid" in logged
    for one in known:
        values = (one.person.name, one.person.email, one.person.address, one.token, one.receipt)
        assert not [value for value in values if value and value in logged]
    assert "抽選" not in logged
