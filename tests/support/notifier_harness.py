"""A notifier for one test between real neighbours: broker, database, the vault's relay, a mail server.

The test plays vault (contacts, cards) and lottery (results) by message, and looks at what arrives.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import aio_pika
import httpx
import uvicorn
from aio_pika.abc import AbstractChannel, AbstractConnection

from services.notifier.app import build
from services.notifier.settings import NotifierSettings
from services.vault.identities.person import Person
from shared.contracts import ClassPass, Contact, ContactsRegistered, Event, Outcome, Refusal, Result, ResultsPublished
from shared.ids import ClassId, DrawId, EventId, new_event_id
from shared.messaging.envelope import Envelope
from shared.messaging.names import Names
from shared.messaging.topology import declare
from shared.storage import Store
from tests.support.mail_relay_harness import Door, person
from tests.support.mail_server import MailServer
from tests.support.vault_parts import Known, Parts

OPS_TOKEN = "staff-of-the-tests"
PASS = "0000-1111-2222-3333"
SHOWN = "KP1:" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 5
CLASSES = ("junior-football", "press-kids")

E = TypeVar("E", bound=Event)


class House:
    def __init__(
        self, amqp_url: str, mongo_url: str, namespace: str, vault: Parts, door: Door, mta: MailServer
    ) -> None:
        self._amqp_url, self._names, self.vault, self.door, self.mta = amqp_url, Names(namespace), vault, door, mta
        self.campaign = vault.campaign
        self.settings = self._settings(amqp_url, mongo_url, namespace, vault.state_dir)
        self.store = Store.open(mongo_url, self.settings.mongo_database)

    def _settings(self, amqp_url: str, mongo_url: str, namespace: str, folder: Path) -> NotifierSettings:
        (folder / "ops-token").write_text(OPS_TOKEN, "utf-8")
        (folder / "relay-password").write_text(self.door.password, "utf-8")
        return NotifierSettings.model_validate(
            {
                "amqp_url": amqp_url,
                "mongo_url": mongo_url,
                "mongo_database": f"{namespace}_notifier",
                "namespace": namespace,
                "state_dir": folder / "notifier",
                "ops_token_file": folder / "ops-token",
                "relay_host": "localhost",
                "relay_port": self.door.port,
                "relay_ca_file": self.door.authority,
                "relay_password_file": folder / "relay-password",
                "mail_waits_s": (0.2, 0.2, 0.2),
                "gather_s": 0.4,
                "poll_s": 0.05,
                "connections": 4,
                "retry_delays_s": (1, 2),
            }
        )

    async def __aenter__(self) -> Self:
        await declare(self._amqp_url, self.settings.namespace, retry_delays_s=self.settings.retry_delays_s)
        self._connection: AbstractConnection = await aio_pika.connect(self._amqp_url, timeout=10)
        self._channel: AbstractChannel = await self._connection.channel()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
        await self.store.db.client.drop_database(self.settings.mongo_database)
        await self.store.close()

    @asynccontextmanager
    async def notifier(self, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
        """One more instance, behind a real socket, with a client that holds the staff token."""
        settings = self.settings.model_copy(update=changes)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build(settings), log_config=None, lifespan="on"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        url, staff = f"http://127.0.0.1:{listener.getsockname()[1]}", {"Authorization": f"Bearer {OPS_TOKEN}"}
        try:
            async with httpx.AsyncClient(
                base_url=f"{url}/v1/campaigns/{self.campaign.id}", headers=staff, timeout=15, trust_env=False
            ) as http:
                await until(lambda: server.started or task.done())
                assert server.started, "the notifier did not start"
                await until(lambda: _is_ready(http, url))
                yield http
        finally:
            server.should_exit = True
            await task
            listener.close()

    async def people(self, count: int, boxes: dict[int, str | None] | None = None, first: int = 0) -> list[Known]:
        """People in the vault, with a mailbox each; `boxes` says other mailboxes by place, None for post."""
        boxes = boxes or {}
        made = [_with(person(first + n), boxes[n]) if n in boxes else person(first + n) for n in range(count)]
        return await self.vault.admit(made)

    async def say(self, *events: Event, ids: Sequence[EventId] | None = None) -> None:
        exchange = await self._channel.get_exchange(self._names.events, ensure=False)
        for event_id, event in zip(ids or [new_event_id() for _ in events], events, strict=True):
            await exchange.publish(Envelope(event_id, event.name, event.to_json()).message(), event.name, timeout=10)

    async def told(self, event_type: type[E], service: str = "vault") -> E:
        """The next thing the notifier says to `service`."""
        queue = await self._channel.get_queue(self._names.queue(service, event_type), ensure=False)
        heard: list[bytes] = []

        async def comes() -> bool:
            message = await queue.get(no_ack=True, fail=False)
            heard.extend([message.body] if message else [])
            return bool(heard)

        await until(comes)
        return event_type.model_validate_json(heard[0])

    def contacts(self, known: Sequence[Known], **changes: Any) -> list[ContactsRegistered]:
        items = [_contact(each, **changes) for each in known]
        return [
            ContactsRegistered(campaign=self.campaign.id, items=tuple(items[at : at + 100]))
            for at in range(0, len(items), 100)
        ]

    def results(self, known: Sequence[Known], *outcomes: str) -> list[ResultsPublished]:
        """The same outcomes for each of them, class by class; winners get a pass code."""
        items = [_result(each, outcomes) for each in known]
        parts = [tuple(items[at : at + 100]) for at in range(0, len(items), 100)]
        return [
            ResultsPublished(campaign=self.campaign.id, draw=DrawId("d-1"), part=n + 1, parts=len(parts), items=part)
            for n, part in enumerate(parts)
        ]

    async def announce(self, known: Sequence[Known], *outcomes: str) -> None:
        """Contacts and results as they come in life: contacts first."""
        await self.say(*self.contacts(known), *self.results(known, *outcomes))

    async def notices(self) -> dict[str, dict[str, Any]]:
        """By application."""
        return {each["application_id"]: each async for each in self.store.db["notices"].find()}

    async def states(self) -> Counter[str]:
        grouped = self.store.db["notices"].aggregate([{"$group": {"_id": "$state", "count": {"$sum": 1}}}])
        return Counter({str(row["_id"]): int(row["count"]) async for row in grouped})

    async def settled(self, timeout_s: float = 20, **counts: int) -> None:
        """Until the notices are exactly in these states; `post` counts those to be printed and at the printer."""
        try:
            await until(lambda: self._are(counts), timeout_s)
        except TimeoutError:
            raise AssertionError(f"{dict(await self.states())} instead of {counts}") from None

    async def _are(self, counts: dict[str, int]) -> bool:
        found = await self.states()
        if "post" in counts:
            found["post"] = found.pop("to_print", 0) + found.pop("printing", 0)
        return found == counts


def _with(who: Person, mailbox: str | None) -> Person:
    return replace(who, email=mailbox)


def _contact(known: Known, **changes: Any) -> Contact:
    mail = known.person.email is not None
    facts = {
        "application_id": known.application_id,
        "receipt": "W-0000-0000-0",
        "token": known.token,
        "contact": "mail" if mail else "post",
        "mail_domain_class": "other" if mail else None,
        "status": "accepted",
    }
    return Contact.model_validate(facts | changes)


def _result(known: Known, outcomes: Sequence[str]) -> Result:
    named = [
        Outcome.model_validate(
            {
                "class_id": CLASSES[n],
                "outcome": outcome,
                "seats": 1,
                "position": 3 if outcome == "waiting" else None,
                "reason": "drawn" if outcome == "lost" else None,
            }
        )
        for n, outcome in enumerate(outcomes)
    ]
    code = PASS if "won" in outcomes else None
    return Result(
        application_id=known.application_id,
        receipt=known.receipt,
        token=known.token,
        pass_code=code,
        passes=tuple(ClassPass(class_id=each.class_id, code=SHOWN) for each in named if each.outcome == "won"),
        outcomes=tuple(named),
    )


def refusal(class_id: str, reason: str) -> Refusal:
    return Refusal(class_id=ClassId(class_id), reason=reason)


async def until(holds: Callable[[], bool] | Callable[[], Awaitable[bool]], timeout_s: float = 20) -> None:
    """Ask again and again; TimeoutError where it does not hold in time."""
    async with asyncio.timeout(timeout_s):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.05)


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    return (await http.get(f"{url}/health/ready")).status_code == 200
