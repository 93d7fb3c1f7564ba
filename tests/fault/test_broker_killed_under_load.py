"""The broker is killed (SIGKILL) and started again on the same data while applications pour in over HTTP.

Clients do what the protocol tells them: 503 means the same again after Retry-After. Then a vault's bus, real inbox
and all, takes what is on the queue: every application that was given a receipt is there, and is kept once.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.http_connection import Connection
from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.rabbitmq import Ports, RabbitMQ
from shared.contracts import ApplicationReceived
from shared.ids import ApplicationId, EventId
from shared.messaging.envelope import Envelope
from tests.support.counting_handler import Witness, all_marked, marks
from tests.support.intake_process import PATH, await_key, environment, pin, sealed_bodies, serving
from tests.support.messaging_harness import MessagingHarness
from tests.support.vault_messages import VaultSide, connected

CLIENTS = 48
BEFORE, AFTER = 800, 800
"""Receipts given before the broker is killed, and at least as many applications begun after that."""
WITNESS = "witness-of-the-test"
"""A queue that gets a copy of everything said, so that copies can be counted and not only what is kept."""


@dataclass
class Crowd:
    """People with one connection each, who send one application after another until told to stop."""

    receipts: dict[ApplicationId, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    refused: Counter[int] = field(default_factory=Counter)
    firsts: list[tuple[ApplicationId, bytes]] = field(default_factory=list)
    begun: int = 0
    asked_again: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def person(self, port: int, bodies: Iterator[tuple[ApplicationId, bytes]]) -> None:
        connection = await Connection.open(port)
        self.firsts.append(next(bodies))
        for application_id, body in chain(self.firsts[-1:], bodies):
            if self.enough.is_set():
                break
            self.begun += 1
            await self._insist(connection, application_id, body)
        connection.close()

    async def ask_again(self, port: int) -> None:
        """For each one's first application, once all is over."""
        connection = await Connection.open(port)
        for application_id, body in self.firsts:
            await self._insist(connection, application_id, body)
            self.asked_again += 1
        connection.close()

    async def _insist(self, connection: Connection, application_id: ApplicationId, body: bytes) -> None:
        while True:
            answer = await connection.post(PATH, body)
            if answer.status == 202:
                self.receipts[application_id].add(answer.body)
                return
            self.refused[answer.status] += 1
            assert answer.status == 503, answer.body
            await asyncio.sleep(int(answer.header(b"retry-after") or 1))


@dataclass(frozen=True)
class Aftermath:
    crowd: Crowd
    given_before: int
    copies: dict[ApplicationId, set[EventId]]
    """What was said of each application, by event id, however often."""
    kept: Counter[ApplicationId]
    """How often the vault's side handled each application."""


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory, mongo_url: str) -> Iterator[Aftermath]:
    home = tmp_path_factory.mktemp("load")
    with Watchdog() as watchdog:
        broker = RabbitMQ(home / "rabbitmq", Ports(*free_ports(3)), watchdog)
        broker.start()
        try:
            broker.ready()
            yield asyncio.run(_play(broker, mongo_url, home))
        finally:
            broker.stop()


async def _play(broker: RabbitMQ, mongo_url: str, home: Path) -> Aftermath:
    async with MessagingHarness(broker.url(), mongo_url, f"load{broker.ports.amqp}") as harness:
        await _place_witness(harness)
        await harness.store("intake")  # the harness clears its database away at the end
        crowd, given_before = await _pour(broker, harness, home)
        kept = await _take_as_the_vault(harness, len(crowd.receipts))
        return Aftermath(crowd, given_before, await _copies(harness), kept)


async def _pour(broker: RabbitMQ, harness: MessagingHarness, home: Path) -> tuple[Crowd, int]:
    """Return the clients and the number of receipts at the moment the broker was killed."""
    [port], crowd = free_ports(1), Crowd()
    with serving(
        port,
        "services.intake",
        settings=environment(harness.amqp_url, harness.mongo_url, home, harness.namespace, port),
    ):
        connection = await connected(harness.amqp_url)
        vault = await VaultSide.connect(connection, harness.namespace)
        pin(home, vault)
        await vault.publish_key()
        await await_key(port)
        await connection.close()
        people = asyncio.gather(*(crowd.person(port, sealed_bodies(vault)) for _ in range(CLIENTS)))
        await _until(lambda: len(crowd.receipts) >= BEFORE, people)
        given_before, begun_before = len(crowd.receipts), crowd.begun
        await asyncio.to_thread(broker.restart)
        await _until(lambda: crowd.begun >= begun_before + AFTER, people)
        crowd.enough.set()
        await people
        await crowd.ask_again(port)
    return crowd, given_before


async def _until(condition: Callable[[], bool], people: asyncio.Future[Any]) -> None:
    async with asyncio.timeout(200):
        while not condition():
            assert not people.done(), people.exception()
            await asyncio.sleep(0.02)


async def _place_witness(harness: MessagingHarness) -> None:
    async with harness.channel() as channel:
        queue = await channel.declare_queue(WITNESS, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(harness.names.events, ApplicationReceived.name)


async def _take_as_the_vault(harness: MessagingHarness, count: int) -> Counter[ApplicationId]:
    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, Witness())
    await harness.running(vault)
    store = await harness.store("vault")
    await all_marked(store, count)
    await vault.drain()
    return await marks(store)


async def _copies(harness: MessagingHarness) -> dict[ApplicationId, set[EventId]]:
    said: dict[ApplicationId, set[EventId]] = defaultdict(set)
    for message in await harness.take_all(WITNESS):
        for envelope in Envelope.read_all(message):
            event = ApplicationReceived.model_validate_json(envelope.body)
            said[event.application_id].add(envelope.event_id)
    return said


def test_the_broker_went_away_while_applications_were_under_way(aftermath: Aftermath):
    """Else nothing below says anything."""
    assert aftermath.given_before >= BEFORE
    assert aftermath.crowd.refused[503] > 0
    assert len(aftermath.crowd.receipts) >= aftermath.given_before + AFTER


def test_everybody_got_a_receipt_in_the_end(aftermath: Aftermath):
    assert len(aftermath.crowd.receipts) == aftermath.crowd.begun


def test_whoever_asks_again_afterwards_gets_the_same_receipt(aftermath: Aftermath):
    assert aftermath.crowd.asked_again >= CLIENTS
    assert {len(answers) for answers in aftermath.crowd.receipts.values()} == {1}


def test_every_application_with_a_receipt_reached_the_vault(aftermath: Aftermath):
    assert set(aftermath.copies) == set(aftermath.crowd.receipts)


def test_copies_of_an_application_are_one_event(aftermath: Aftermath):
    assert {len(events) for events in aftermath.copies.values()} == {1}


def test_the_vault_keeps_every_application_once(aftermath: Aftermath):
    assert aftermath.kept == Counter(dict.fromkeys(aftermath.crowd.receipts, 1))
