"""A service that was taken over publishes messages that no library of ours would send (protocols §7)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from aio_pika import Message

from shared.contracts import ApplicationReceived
from shared.ids import new_event_id
from shared.messaging import Bus
from shared.messaging.envelope import ERROR, KEY, ORIGIN, PARKED_AT, PUBLISHER, SIGNATURE, Envelope
from shared.messaging.untrusted import SHA256, SIZE
from shared.storage import UnitOfWork
from tests.support.messaging_harness import CAMPAIGN, MessagingHarness, received
from tests.support.service_keys import service_key
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

CANARY = "qz-canary-of-a-stranger"


class OddText(str):
    """Text whose bytes on the wire are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:  # type: ignore[override]
        return b"\xff" + CANARY.encode()


class Received:
    """Handler that keeps the ids of what it handled."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def handle(self, events: Sequence[ApplicationReceived], _: UnitOfWork) -> None:
        self.ids += [event.application_id for event in events]


def nested(depth: int) -> dict[str, Any]:
    """Return a table within a table, and so on."""
    table: dict[str, Any] = {}
    for _ in range(depth):
        table = {"t": table}
    return table


def in_header(name: str, value: Any) -> Callable[[Message], None]:
    """Return a change of one header; None takes it away."""

    def change(message: Message) -> None:
        if value is None:
            message.headers.pop(name)
        else:
            message.headers[name] = value

    return change


def in_property(name: str) -> Callable[[Message], None]:
    """Return a change of one AMQP property to odd text."""
    return lambda message: setattr(message, name, OddText("odd"))


ODD_VALUES: dict[str, Any] = {
    "absent": None,
    "bytes": bytearray(CANARY.encode()),
    "no-utf-8": OddText("odd"),
    "array": [CANARY],
    "table": {CANARY: CANARY},
    "number": 7,
    "decimal": Decimal("1.5"),
    "truth": True,
    "empty": "",
    "not-ascii": f"髙{CANARY}",
    "line-feed": f"{CANARY}\n",
    "huge": CANARY * 3000,
}
CHANGES = {
    f"{header}-{kind}": in_header(header, value)
    for header in (SIGNATURE, KEY, PUBLISHER)
    for kind, value in ODD_VALUES.items()
}
CHANGES |= {
    "other-header-no-utf-8": lambda message: message.headers.update({OddText("odd"): "x"}),
    "type-no-utf-8": in_property("type"),
    "content-type-no-utf-8": in_property("content_type"),
    "id-no-utf-8": in_property("message_id"),
    "nested": in_header("x-nested", nested(300)),
}
STILL_TRUSTED = {"content-type-no-utf-8", "id-no-utf-8", "nested"}
"""Changes of what the signature does not cover and nothing reads."""


def signed_message(event: ApplicationReceived) -> Message:
    event_id, body = new_event_id(), event.to_json()
    signature = service_key("intake").sign_event(event.name, event_id, body)
    return Envelope(event_id, event.name, body, signature=signature).message()


async def test_malformed_messages_stop_no_consumer_and_appear_in_no_log(
    harness: MessagingHarness, capfd: pytest.CaptureFixture[str]
) -> None:
    """Before: one property that is no UTF-8 closed the consumer's connection, again with each delivery."""
    bus, handler = await harness.bus("vault"), Received()
    bus.consume(ApplicationReceived, handler.handle)
    await harness.running(bus)
    queue = harness.names.queue("vault", ApplicationReceived)
    for change in CHANGES.values():
        message = signed_message(received())
        change(message)
        await harness.put(queue, message)
    genuine = received()
    await (await harness.bus("intake")).publish(genuine)

    await until(lambda: _is_handled(handler, genuine.application_id))
    await until(lambda: _are_set_aside(bus, len(CHANGES) - len(STILL_TRUSTED)))
    await until(lambda: len(handler.ids) == 1 + len(STILL_TRUSTED))
    await until(lambda: bus.unacknowledged(CAMPAIGN) == 0)
    logged = "".join(capfd.readouterr())
    assert "message-untrusted" in logged
    assert CANARY not in logged
    assert "consumer-attaches-again" not in logged
    assert {record.reason for record in await bus.untrusted.records()} <= {
        "unsigned", "foreign-publisher", "wrong-signature", "other-event",
    }  # fmt: skip


async def test_a_forged_message_of_a_campaign_does_not_count_as_unacknowledged(harness: MessagingHarness) -> None:
    """Before: an untrusted message stayed counted while its channel was open, and no erasure went on."""
    bus = await harness.bus("vault")
    bus.consume(ApplicationReceived, Received().handle)
    await harness.running(bus)
    event = received()
    await harness.put(
        harness.names.queue("vault", ApplicationReceived),
        Envelope(new_event_id(), event.name, event.to_json()).message(),
    )
    await until(lambda: _are_set_aside(bus, 1))
    await until(_holds(lambda: bus.unacknowledged(CAMPAIGN) == 0))


async def test_a_body_nested_without_end_is_parked_and_stays_no_obstacle_to_an_erasure(
    harness: MessagingHarness,
) -> None:
    """Before: looking for its campaign raised RecursionError; it came again and again, and then parking failed."""
    bus, handler = await harness.bus("vault"), Received()
    bus.consume(ApplicationReceived, handler.handle)
    await harness.running(bus)
    body, event_id = b"[" * 5_000, new_event_id()
    signature = service_key("intake").sign_event(ApplicationReceived.name, event_id, body)
    queue = harness.names.queue("vault", ApplicationReceived)
    await harness.put(queue, Envelope(event_id, ApplicationReceived.name, body, signature=signature).message())

    await until(lambda: _are_parked(bus, 1))
    assert await bus.parking.count(CAMPAIGN) == 0
    assert await bus.parking.purge(CAMPAIGN) == 0
    assert [message.error for message in await bus.parking.messages()] == ["ContractViolationError:malformed"]


async def test_headers_of_a_foreign_message_reach_no_page_of_the_staff(harness: MessagingHarness) -> None:
    """Before: a delay queue took any text into the lists of untrusted and of parked messages."""
    bus = await harness.bus("vault")
    odd = {ERROR: f"call {CANARY}", PARKED_AT: CANARY, SIZE: CANARY, SHA256: CANARY, ORIGIN: f"{CANARY} <a>"}
    await harness.put(harness.names.untrusted("vault"), Message(CANARY.encode(), headers=odd, type=CANARY))
    message = signed_message(received())
    message.headers.update(odd)
    message.message_id = CANARY
    await harness.put(harness.names.parked("vault"), message)
    (record,), (parked,) = await bus.untrusted.records(), await bus.parking.messages()
    assert CANARY not in repr(record)
    assert CANARY not in repr(parked)
    assert await bus.parking.discard(parked.id)


async def test_a_message_counts_as_unacknowledged_while_its_transaction_may_commit(harness: MessagingHarness) -> None:
    """Before: with its channel the message was forgotten, and the erasure could delete before the commit."""
    broker, handler = urlsplit(harness.amqp_url), Blocked()
    with TcpProxy(str(broker.hostname), int(broker.port or 5672)) as proxy:
        through = harness.amqp_url.replace(f":{broker.port}", f":{proxy.port}")
        bus = await harness.bus("vault", amqp_url=through)
        bus.consume(ApplicationReceived, handler.handle)
        await harness.running(bus)
        await (await harness.bus("intake")).publish(received())
        await asyncio.wait_for(handler.begun.wait(), 20)
        proxy.cut()
        await until(lambda: _is_detached(bus))
        assert bus.unacknowledged(CAMPAIGN) == 1
        handler.may_end.set()
        await until(_holds(lambda: bus.unacknowledged(CAMPAIGN) == 0))
        proxy.restore()
        await bus.drain()


async def _is_detached(bus: Bus) -> bool:
    return not await bus.ready()


class Blocked:
    """Handler that waits until the test lets it end."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def handle(self, _events: Sequence[ApplicationReceived], _: UnitOfWork) -> None:
        self.begun.set()
        await self.may_end.wait()


async def _is_handled(handler: Received, application_id: str) -> bool:
    return application_id in handler.ids


async def _are_set_aside(bus: Bus, count: int) -> bool:
    return await bus.untrusted.count() == count


async def _are_parked(bus: Bus, count: int) -> bool:
    return len(await bus.parking.messages()) == count


def _holds(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return condition()

    return check
