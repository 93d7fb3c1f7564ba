"""A notifier for one test, with a real broker, a real database, the vault's relay and a mail server.

The test publishes the messages of vault and lottery, and reads the messages and mails that the notifier sends.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import aio_pika
import httpx
import uvicorn
from aio_pika.abc import AbstractChannel, AbstractConnection

from services.notifier.app import build
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice
from services.notifier.settings import NotifierSettings
from shared.contracts import ClassPass, Contact, ContactsRegistered, Event, Outcome, Refusal, Result, ResultsPublished
from shared.ids import ApplicationId, ClassId, DrawId, EventId, new_event_id
from shared.messaging.names import Names
from shared.messaging.topology import declare, remove
from shared.storage import Store
from tests.support.databases import drop_database
from tests.support.mail_relay_harness import RunningRelay, person
from tests.support.mail_server import MailServer
from tests.support.service_keys import signed
from tests.support.vault_parts import Known, Parts
from tests.support.waiting import until

OPS_TOKEN = "staff-of-the-tests"
PASS_CODE = "0000-1111-2222-3333"
PASS_TEXT = "KP1:" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 5
CLASSES = ("junior-football", "press-kids")

E = TypeVar("E", bound=Event)


class NotifierHarness:
    """Settings, database and channel of one notifier, which a test starts with `run_notifier`."""

    def __init__(
        self,
        amqp_url: str,
        mongo_url: str,
        namespace: str,
        vault: Parts,
        relay: RunningRelay,
        mta: MailServer,
    ) -> None:
        self._amqp_url, self._names, self.vault, self.relay, self.mta = amqp_url, Names(namespace), vault, relay, mta
        self.campaign = vault.campaign
        self.settings = self._settings(amqp_url, mongo_url, namespace, vault.state_dir)
        self.store = Store.open(mongo_url, self.settings.mongo_database)

    def _settings(self, amqp_url: str, mongo_url: str, namespace: str, folder: Path) -> NotifierSettings:
        (folder / "ops-token").write_text(OPS_TOKEN, "utf-8")
        (folder / "relay-password").write_text(self.relay.password, "utf-8")
        return NotifierSettings.model_validate(
            {
                "amqp_url": amqp_url,
                "mongo_url": mongo_url,
                "mongo_database": f"{namespace}_notifier",
                "namespace": namespace,
                "state_dir": folder / "notifier",
                "ops_token_file": folder / "ops-token",
                "relay_host": "localhost",
                "relay_port": self.relay.port,
                "relay_ca_file": self.relay.authority,
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
        async with self.store:
            await self._connection.close()
            names, delays_s = self.settings.namespace, self.settings.retry_delays_s
            await remove(self._amqp_url, names, retry_delays_s=delays_s)
            await drop_database(self.store)

    async def prepare_database(self) -> None:
        """Prepare the database as a start does, without starting an instance."""
        await self.store.ensure(COLLECTIONS)
        await ApplicantRepository(self.store.db).ensure_locks([self.campaign.id])

    @asynccontextmanager
    async def run_notifier(self, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
        """Run an instance behind a real socket; yield a client that has the staff token."""
        settings = self.settings.model_copy(update=changes)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build(settings), log_config=None, lifespan="on"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        url, staff = f"http://127.0.0.1:{listener.getsockname()[1]}", {"Authorization": f"Bearer {OPS_TOKEN}"}
        try:
            async with httpx.AsyncClient(
                base_url=f"{url}/v1/campaigns/{self.campaign.id}", headers=staff, timeout=60, trust_env=False
            ) as http:
                await until(lambda: server.started or task.done())
                assert server.started, "the notifier did not start"
                await until(lambda: _is_ready(http, url))
                yield http
        finally:
            server.should_exit = True
            await task
            listener.close()

    async def admit_people(
        self, count: int, mailboxes: Mapping[int, str | None] | None = None, first: int = 0
    ) -> list[Known]:
        """Store people with a mailbox each in the vault; `mailboxes` changes some by index, None means post."""
        changed = mailboxes or {}
        people = [person(first + n) for n in range(count)]
        return await self.vault.admit(
            [replace(one, email=changed[n]) if n in changed else one for n, one in enumerate(people)]
        )

    async def publish(self, *events: Event, ids: Sequence[EventId] | None = None) -> None:
        """Publish events as vault or lottery do; given ids make a repetition recognisable."""
        exchange = await self._channel.get_exchange(self._names.events, ensure=False)
        for event_id, event in zip(ids or [new_event_id() for _ in events], events, strict=True):
            await exchange.publish(signed(event, event_id).message(), event.name, timeout=10)

    async def next_event(self, event_type: type[E], service: str = "vault") -> E:
        """Return the next event of this type that the notifier publishes to `service`."""
        queue = await self._channel.get_queue(self._names.queue(service, event_type), ensure=False)
        bodies: list[bytes] = []

        async def has_arrived() -> bool:
            message = await queue.get(no_ack=True, fail=False)
            bodies.extend([message.body] if message else [])
            return bool(bodies)

        await until(has_arrived)
        return event_type.model_validate_json(bodies[0])

    def build_contacts(self, applicants: Sequence[Known], **changes: Any) -> list[ContactsRegistered]:
        """Return the events with the contacts of these applicants, accepted unless `changes` say otherwise."""
        items = [_contact(applicant, **changes) for applicant in applicants]
        return [
            ContactsRegistered(campaign=self.campaign.id, items=tuple(items[start : start + 100]))
            for start in range(0, len(items), 100)
        ]

    def build_results(self, applicants: Sequence[Known], *outcomes: str) -> list[ResultsPublished]:
        """Return the events with the same outcomes for each applicant, class by class; winners get a pass code."""
        items = [_result(applicant, outcomes) for applicant in applicants]
        parts = [tuple(items[start : start + 100]) for start in range(0, len(items), 100)]
        return [
            ResultsPublished(campaign=self.campaign.id, draw=DrawId("d-1"), part=n + 1, parts=len(parts), items=part)
            for n, part in enumerate(parts)
        ]

    async def publish_results(self, applicants: Sequence[Known], *outcomes: str) -> None:
        """Publish contacts, then results."""
        await self.publish(*self.build_contacts(applicants), *self.build_results(applicants, *outcomes))

    async def stored_notices(self) -> dict[ApplicationId, Notice]:
        """Return the notices by application."""
        notices = await NoticeRepository(self.store.db).list_notices(self.campaign.id)
        return {notice.application_id: notice for notice in notices}

    async def count_states(self) -> Counter[str]:
        """Count the notices by state."""
        return Counter((await NoticeRepository(self.store.db).count_notices(self.campaign.id)).by_state)

    async def wait_for_states(self, timeout_s: float = 20, **counts: int) -> None:
        """Wait until the notices have exactly these states; `post` counts `to_print`, `bounced`, `requested`."""
        try:
            await until(lambda: self._have_states(counts), timeout_s)
        except TimeoutError:
            raise AssertionError(f"{dict(await self.count_states())} instead of {counts}") from None

    async def _have_states(self, counts: dict[str, int]) -> bool:
        current = await self.count_states()
        if "post" in counts:
            current["post"] = sum(current.pop(state, 0) for state in ("to_print", "bounced", "requested"))
        return current == counts


def _contact(applicant: Known, **changes: Any) -> Contact:
    mail = applicant.person.email is not None
    facts = {
        "application_id": applicant.application_id,
        "receipt": applicant.receipt,
        "token": applicant.token,
        "contact": "mail" if mail else "post",
        "mail_domain_class": "other" if mail else None,
        "status": "accepted",
    }
    return Contact.model_validate(facts | changes)


def _result(applicant: Known, outcomes: Sequence[str]) -> Result:
    by_class = [_outcome(class_id, outcome) for class_id, outcome in zip(CLASSES, outcomes, strict=False)]
    won = [outcome.class_id for outcome in by_class if outcome.outcome == "won"]
    return Result(
        application_id=applicant.application_id,
        receipt=applicant.receipt,
        token=applicant.token,
        pass_code=PASS_CODE if won else None,
        passes=tuple(ClassPass(class_id=class_id, code=PASS_TEXT) for class_id in won),
        outcomes=tuple(by_class),
    )


def _outcome(class_id: str, outcome: str) -> Outcome:
    facts = {
        "class_id": class_id,
        "outcome": outcome,
        "seats": 1,
        "position": 3 if outcome == "waiting" else None,
        "reason": "drawn" if outcome == "lost" else None,
    }
    return Outcome.model_validate(facts)


def refusal(class_id: str, reason: str) -> Refusal:
    """Return the refusal of one class."""
    return Refusal(class_id=ClassId(class_id), reason=reason)


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    return (await http.get(f"{url}/health/ready")).status_code == 200
