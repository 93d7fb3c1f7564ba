"""Messages that no known publisher signed: never parsed, kept as a record without a body, and counted."""

import hashlib
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from aio_pika import Message
from fastapi import FastAPI
from structlog.testing import capture_logs

from shared.contracts import ApplicationReceived, StaffAct
from shared.ids import EventId, new_event_id
from shared.messaging import Bus
from shared.messaging.envelope import Envelope, bundles
from shared.service_keys import EventSignature, ServiceKey
from shared.staff_roles import Role
from shared.web import install_problems
from tests.support.counting_handler import Witness, all_marked, marks
from tests.support.messaging_harness import CAMPAIGN, MessagingHarness, received
from tests.support.service_keys import service_key, signed, signed_body
from tests.support.staff_sign_in import sign_in_at, staff_access
from tests.support.waiting import until

NAME = "application.received"
PERSON = "山田太郎"


def _unsigned() -> Message:
    return replace(signed(received()), signature=None).message()


def _copied() -> Message:
    message = signed(received()).message()
    message.headers["CC"] = ["vault.application.received"]
    return message


def _with_foreign_id() -> Message:
    return signed_body(NAME, received().to_json(), "intake", EventId(PERSON)).message()


def _changed() -> Message:
    return replace(signed(received()), body=received().to_json()).message()


def _of_another_id() -> Message:
    return replace(signed(received()), event_id=new_event_id()).message()


def _of_another_name() -> Message:
    return signed_body("paper.received", received().to_json(), "intake").message()


def _renamed() -> Message:
    """Publish the queue's event by its type, signed as another event."""
    return replace(signed_body("receipts.closed", received().to_json(), "intake"), name=NAME).message()


def _by_a_service_that_does_not_publish_it() -> Message:
    return signed_body(NAME, received().to_json(), "lottery").message()


def _in_the_name_of_intake() -> Message:
    body, event_id = received().to_json(), new_event_id()
    by_lottery = service_key("lottery").sign_event(NAME, event_id, body)
    return Envelope(event_id, NAME, body, signature=replace(by_lottery, publisher="intake")).message()


def _by_an_unknown_key(tmp: Path) -> Message:
    (tmp / "intake.key").write_text("A" * 43)
    body, event_id = received().to_json(), new_event_id()
    return Envelope(
        event_id, NAME, body, signature=ServiceKey(tmp, "intake").sign_event(NAME, event_id, body)
    ).message()


def _bundle_with_one_foreign_line() -> Message:
    envelopes = [signed(received()) for _ in range(3)]
    envelopes[1] = replace(envelopes[1], body=received().to_json())
    (message,) = bundles(envelopes)
    return message


def _bundle_without_one_signature() -> Message:
    (message,) = bundles([signed(received()) for _ in range(3)])
    message.headers["kuji-signature"] = message.headers["kuji-signature"][:2]
    return message


def _with_headers_of_other_types() -> Message:
    message = signed(received()).message()
    message.headers |= {"kuji-publisher": 7, "kuji-key": ["x"], "kuji-attempt": "many"}
    return message


FOREIGN = {
    "unsigned": (_unsigned, "unsigned"),
    "a copy of another message": (_copied, "copied"),
    "an id that is no UUID": (_with_foreign_id, "malformed-id"),
    "a changed body": (_changed, "wrong-signature"),
    "another id": (_of_another_id, "wrong-signature"),
    "another event": (_of_another_name, "other-event"),
    "a renamed event": (_renamed, "wrong-signature"),
    "a publisher outside the routes": (_by_a_service_that_does_not_publish_it, "foreign-publisher"),
    "a publisher with another's key": (_in_the_name_of_intake, "wrong-signature"),
    "a bundle with one foreign line": (_bundle_with_one_foreign_line, "wrong-signature"),
    "a bundle without one signature": (_bundle_without_one_signature, "unsigned"),
    "headers of other types": (_with_headers_of_other_types, "unsigned"),
}


async def vault_with(harness: MessagingHarness, witness: Witness) -> Bus:
    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, witness)
    return await harness.running(vault)


@pytest.mark.parametrize("kind", FOREIGN)
async def test_a_message_that_no_known_publisher_signed_is_not_handled_and_leaves_a_record(
    harness: MessagingHarness, kind: str
) -> None:
    make, reason = FOREIGN[kind]
    message, witness = make(), Witness()
    vault = await vault_with(harness, witness)
    with capture_logs() as logs:
        await harness.put(harness.names.queue("vault", NAME), message)
        good = received()
        await (await harness.bus("intake")).publish(good)
        await all_marked(await harness.store("vault"), 1)
        await until(lambda: _counted(vault, 1))

    assert await marks(await harness.store("vault")) == {good.application_id: 1}
    (record,) = await vault.untrusted.records()
    assert (record.reason, record.size) == (reason, len(message.body))
    assert record.sha256 == hashlib.sha256(message.body).hexdigest()
    assert record.origin == f"vault.{NAME}"
    assert (await vault.queue_depths())["vault.parked"] == 0
    assert [line["code"] for line in logs if line["event"] == "message-untrusted"] == [reason]
    assert PERSON not in repr(logs)
    (kept,) = await harness.take_all(harness.names.untrusted("vault"))
    assert kept.body == b""
    assert PERSON not in repr(kept.headers)


async def test_a_key_that_is_not_among_the_public_keys_signs_nothing(harness: MessagingHarness, tmp_path: Path) -> None:
    witness = Witness()
    vault = await vault_with(harness, witness)
    await harness.put(harness.names.queue("vault", NAME), _by_an_unknown_key(tmp_path))
    await until(lambda: _counted(vault, 1))
    assert not witness.calls


async def test_foreign_messages_in_the_parking_queue_become_records_and_leave_its_count(
    harness: MessagingHarness,
) -> None:
    """Copy headers can lead into the parking queue of another service by way of a delay queue."""
    vault = await harness.bus("vault")
    origin = harness.names.queue("vault", NAME)
    await harness.put(harness.names.parked("vault"), _unsigned())
    await harness.put(harness.names.parked("vault"), signed(received()).parked(origin, "PermanentError"))

    assert await vault.purge_campaign(CAMPAIGN) == 1

    assert (await vault.queue_depths())["vault.parked"] == 0
    assert await vault.untrusted.count() == 1


async def test_copies_in_delay_and_parking_queues_keep_the_signature_of_the_publisher(
    harness: MessagingHarness,
) -> None:
    witness = Witness()
    vault = await vault_with(harness, witness)
    event = received(key_id="transient")
    event_id = await (await harness.bus("intake")).publish(event)
    await until(lambda: _parked(vault, 1))

    assert witness.attempts(event.application_id) >= 3
    (parked,) = await harness.take_all(harness.names.parked("vault"))
    expected = service_key("intake").sign_event(NAME, event_id, parked.body)
    headers = parked.headers
    kept = EventSignature(*(str(headers[name]) for name in ("kuji-publisher", "kuji-key", "kuji-signature")))
    assert kept == expected
    assert await vault.untrusted.count() == 0


async def test_staff_see_the_records_and_discard_all_of_them(harness: MessagingHarness, tmp_path: Path) -> None:
    vault = await vault_with(harness, Witness())
    store, app = await harness.store("vault"), FastAPI()
    install_problems(app)
    acts: list[StaffAct] = []

    async def record(_: str, act: StaffAct, __: str) -> None:
        acts.append(act)

    app.include_router(vault.parking_router(staff_access("vault", store, tmp_path), record))
    for _ in range(3):
        await harness.put(harness.names.queue("vault", NAME), _unsigned())
    await until(lambda: _counted(vault, 3))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vault") as client:
        assert (await client.get("/v1/untrusted")).status_code == 401
        client.headers.update(await sign_in_at(store, "vault", roles={Role.ENGINEER}))
        listed = (await client.get("/v1/untrusted")).json()
        discarded = (await client.post("/v1/untrusted/discard")).json()

    assert listed["count"] == 3
    assert {record["event"] for record in listed["messages"]} == {NAME}
    assert discarded == {"v": 1, "discarded": 3}
    assert await vault.untrusted.count() == 0


async def _counted(vault: Bus, count: int) -> bool:
    return await vault.untrusted.count() == count


async def _parked(vault: Bus, count: int) -> bool:
    return (await vault.queue_depths())["vault.parked"] == count
