"""A notifier for one test, with a real broker and a real database. The test plays vault, mail room and lottery."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import aio_pika
import httpx
import uvicorn
from aio_pika.abc import AbstractChannel, AbstractConnection

from services.notifier.app import build
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS
from services.notifier.counts_repository import NoticeCountsRepository
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice
from services.notifier.settings import NotifierSettings
from shared.approvals import used
from shared.campaign import load_campaign
from shared.contracts import (
    Contact,
    ContactsRegistered,
    Event,
    MailAnswer,
    MailCompleted,
    MailRequested,
    NoticeDocument,
    OutcomeSlip,
    PlaceNotice,
    PlacesOffered,
    ResultsPublished,
)
from shared.ids import DrawId, EventId, Receipt, Token, new_application_id, new_event_id, new_token
from shared.messaging.names import Names
from shared.receipts import candidates
from shared.staff_roles import Role
from shared.storage import Store
from tests.support.databases import drop_database
from tests.support.executed_approvals import pin_vault_key
from tests.support.namespaces import declare_queues, leave_queues
from tests.support.service_keys import signed
from tests.support.staff_sign_in import ALL_ROLES, ORIGINS, sign_in_at
from tests.support.vault_parts import SAMPLE
from tests.support.waiting import until

STAFF = "office-1"
"""Member of staff, with all roles, whose session the clients of `run_notifier` hold."""

PASS_TEXT = "KP1:" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 5
CLASSES = ("junior-football", "press-kids")
DRAW = DrawId("d-1")
FIRST = 1_000_000
"""Number of the slips of the first draw."""

E = TypeVar("E", bound=Event)
Answering = Callable[[NoticeDocument], MailAnswer | None]


@dataclass(frozen=True)
class Applicant:
    """Applicant as the notifier knows one. `domain_class` None: by post."""

    domain_class: str | None = "other"
    token: Token = field(default_factory=new_token)
    receipt: Receipt = field(default_factory=lambda: next(candidates(bytes(32), "web", new_application_id())))

    @property
    def channel(self) -> str:
        """Contact channel."""
        return "post" if self.domain_class is None else "mail"


def by_mail(count: int, domain_class: str = "other") -> list[Applicant]:
    """Return applicants with a mail address."""
    return [Applicant(domain_class) for _ in range(count)]


def by_post(count: int) -> list[Applicant]:
    """Return applicants without a mail address."""
    return [Applicant(None) for _ in range(count)]


class NotifierHarness:
    """Settings, database and channel of one notifier, which a test starts with `run_notifier`."""

    def __init__(self, amqp_url: str, mongo_url: str, namespace: str, folder: Path) -> None:
        self._amqp_url, self._names = amqp_url, Names(namespace)
        self.campaign = load_campaign(SAMPLE)
        self.settings = _settings(amqp_url, mongo_url, namespace, folder)
        self.store = Store.open(mongo_url, self.settings.mongo_database)

    async def __aenter__(self) -> Self:
        await declare_queues(self._amqp_url, self.settings.namespace, self.settings.retry_delays_s)
        self._connection: AbstractConnection = await aio_pika.connect(self._amqp_url, timeout=10)
        self._channel: AbstractChannel = await self._connection.channel()
        return self

    async def __aexit__(self, *_: object) -> None:
        async with self.store:
            await self._connection.close()
            await leave_queues(self._amqp_url, self.settings.namespace, self.settings.retry_delays_s)
            await drop_database(self.store)

    async def sign_in(self, staff_id: str = STAFF, roles: Iterable[Role] = ALL_ROLES) -> dict[str, str]:
        """Return the headers of a member of staff; an instance must have run before."""
        return await sign_in_at(self.store, "notifier", staff_id, roles)

    async def prepare_database(self) -> None:
        """Prepare the database as a start does, without starting an instance."""
        await self.store.ensure([*COLLECTIONS, *used.collections()])
        await ApplicantRepository(self.store.db).ensure_locks([self.campaign.id])

    @asynccontextmanager
    async def run_notifier(self, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
        """Run an instance behind a real socket; yield a client that is signed in as STAFF."""
        settings = self.settings.model_copy(update=changes)
        app, listener = build(settings), socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(
                base_url=f"{url}/v1/campaigns/{self.campaign.id}", timeout=60, trust_env=False
            ) as http:
                await until(lambda: server.started or task.done())
                assert server.started, "the notifier did not start"
                await until(lambda: _is_ready(http, url))
                http.headers.update(await self.sign_in())
                yield http
        finally:
            server.should_exit = True
            await task
            listener.close()

    @asynccontextmanager
    async def mail_room(self, answer: Answering | None = None) -> AsyncIterator[list[NoticeDocument]]:
        """Play the vault's mail room: yield the documents as they come, and answer `sent` unless `answer` decides."""
        documents: list[NoticeDocument] = []
        closed = asyncio.Event()
        task = asyncio.create_task(self._answer_mails(answer or sent, documents, closed))
        try:
            yield documents
        finally:
            closed.set()  # cancelling a call of the client would close its channel
            await task

    async def _answer_mails(self, answer: Answering, documents: list[NoticeDocument], closed: asyncio.Event) -> None:
        channel = await self._connection.channel()
        queue = await channel.get_queue(self._names.queue("vault", MailRequested), ensure=False)
        while not closed.is_set():
            message = await queue.get(no_ack=True, fail=False)
            if message is None:
                await asyncio.sleep(0.02)
                continue
            requested = MailRequested.model_validate_json(message.body)
            documents.extend(requested.items)
            answers = tuple(given for document in requested.items if (given := answer(document)) is not None)
            if answers:
                await self.publish(MailCompleted(campaign=requested.campaign, items=answers))
        await channel.close()

    async def publish(self, *events: Event, ids: Sequence[EventId] | None = None) -> None:
        """Publish events as vault or lottery do; given ids make a repetition recognisable."""
        exchange = await self._channel.get_exchange(self._names.events, ensure=False)
        for event_id, event in zip(ids or [new_event_id() for _ in events], events, strict=True):
            await exchange.publish(signed(event, event_id).message(), event.name, timeout=10)

    async def next_event(self, event_type: type[E], service: str = "vault", timeout_s: float = 20) -> E:
        """Return the next event of this type that the notifier publishes to `service`."""
        queue = await self._channel.get_queue(self._names.queue(service, event_type), ensure=False)
        bodies: list[bytes] = []

        async def has_arrived() -> bool:
            message = await queue.get(no_ack=True, fail=False)
            bodies.extend([message.body] if message else [])
            return bool(bodies)

        await until(has_arrived, timeout_s)
        return event_type.model_validate_json(bodies[0])

    def contacts(self, applicants: Sequence[Applicant], **changes: Any) -> list[ContactsRegistered]:
        """Return the events with the contacts of these applicants, complete unless `changes` say otherwise."""
        items = [build_contact(applicant, **changes) for applicant in applicants]
        return [ContactsRegistered(campaign=self.campaign.id, items=part) for part in _parts(items)]

    def results(self, applicants: Sequence[Applicant], *outcomes: str, n: int = FIRST) -> list[ResultsPublished]:
        """Return the events with the same outcomes for each applicant, class by class; winners get passes."""
        parts = _parts([self.slip(applicant, *outcomes, n=n) for applicant in applicants])
        return [
            ResultsPublished(campaign=self.campaign.id, draw=DRAW, part=number + 1, parts=len(parts), items=part)
            for number, part in enumerate(parts)
        ]

    def places(self, applicants: Sequence[Applicant], kind: str, outcome: str, n: int) -> PlacesOffered:
        """Return the event with slips of applicants whose place in the first class changed."""
        items = tuple(
            PlaceNotice.model_validate(
                {"kind": kind, "class_id": CLASSES[0], "slip": self.slip(applicant, outcome, n=n)}
            )
            for applicant in applicants
        )
        return PlacesOffered(campaign=self.campaign.id, draw=DRAW, items=items)

    def slip(self, applicant: Applicant, *outcomes: str, n: int = FIRST) -> OutcomeSlip:
        """Return a slip with a form that is right; the notifier does not verify its signature."""
        by_class = [_outcome(class_id, outcome) for class_id, outcome in zip(CLASSES, outcomes, strict=False)]
        won = [outcome["class_id"] for outcome in by_class if outcome["outcome"] in {"won", "offered"}]
        return OutcomeSlip.model_validate(
            {
                "campaign": self.campaign.id,
                "draw": DRAW,
                "n": n,
                "token": applicant.token,
                "receipt": applicant.receipt,
                "entry": "0" * 32,
                "issued_at": "2018-06-01T09:00:00+09:00",
                "outcomes": by_class,
                "passes": [{"class_id": class_id, "code": PASS_TEXT} for class_id in won],
                "key": "0" * 16,
                "signature": "A" * 86,
            }
        )

    async def publish_results(self, applicants: Sequence[Applicant], *outcomes: str) -> None:
        """Publish contacts, then results."""
        await self.publish(*self.contacts(applicants), *self.results(applicants, *outcomes))

    async def stored(self, kind: str | None = None) -> dict[Token, Notice]:
        """Return the newest notice of each applicant, of one kind or of all but acknowledgements."""
        notices = await NoticeRepository(self.store.db).list_notices(self.campaign.id)
        chosen = [
            notice for notice in notices if notice.kind == kind or (not kind and notice.kind != "acknowledgement")
        ]
        return {notice.token: notice for notice in sorted(chosen, key=lambda notice: notice.n)}

    async def count_states(self, kind: str | None = None) -> Counter[str]:
        """Count the notices by state, of one kind or of all but acknowledgements."""
        states: Counter[str] = Counter()
        for tally in (await NoticeCountsRepository(self.store.db).count_notices(self.campaign.id)).tallies:
            if tally.kind == kind or (kind is None and tally.kind != "acknowledgement"):
                states[tally.state] += tally.count
        return states

    async def wait_for_states(self, kind: str | None = None, /, **counts: int) -> None:
        """Wait until the notices (all but acknowledgements, or those of one kind) have exactly these states."""

        async def have_states() -> bool:
            return await self.count_states(kind) == counts

        try:
            await until(have_states, 60)
        except AssertionError:
            raise AssertionError(f"{dict(await self.count_states(kind))} instead of {counts}") from None


def build_contact(applicant: Applicant, **changes: Any) -> Contact:
    """Return the contact of an applicant, complete unless `changes` say otherwise."""
    facts = {
        "receipt": applicant.receipt,
        "token": applicant.token,
        "contact": applicant.channel,
        "mail_domain_class": applicant.domain_class,
        "status": "complete",
        "version": 1,
        "revision": 1,
    }
    return Contact.model_validate(facts | changes)


def answer_to(document: NoticeDocument, answer: str, code: int | None = None, **more: Any) -> MailAnswer:
    """Return an answer of the mail room to a document."""
    facts = {"notice": document.notice, "attempt": document.attempt, "answer": answer, "code": code, **more}
    return MailAnswer.model_validate(facts)


def sent(document: NoticeDocument) -> MailAnswer:
    """Return the answer that the mail server took the mail."""
    return answer_to(document, "sent", 250)


def answering(applicants: Mapping[Token, tuple[str, int | None]]) -> Answering:
    """Return answers by token; the others' mails are sent."""

    def answer(document: NoticeDocument) -> MailAnswer:
        given = applicants.get(Token(document.recipients[0]))
        return sent(document) if given is None else answer_to(document, *given)

    return answer


def _settings(amqp_url: str, mongo_url: str, namespace: str, folder: Path) -> NotifierSettings:
    return NotifierSettings.model_validate(
        {
            "amqp_url": amqp_url,
            "mongo_url": mongo_url,
            "mongo_database": f"{namespace}_notifier",
            "namespace": namespace,
            "state_dir": folder / "notifier",
            "origins": ORIGINS,
            "vault_key_file": pin_vault_key(folder),
            "mail_waits_s": (0.2, 0.2, 0.2),
            "release_wait_s": 0.2,
            "lease_s": 1.0,
            "gather_s": 0.4,
            "poll_s": 0.05,
            "retry_delays_s": (1, 2),
        }
    )


def _parts(items: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [tuple(items[start : start + 100]) for start in range(0, len(items), 100)]


def _outcome(class_id: str, outcome: str) -> dict[str, Any]:
    facts: dict[str, dict[str, Any]] = {
        "waiting": {"position": 3},
        "lost": {"reason": "drawn"},
        "refused": {"reason": "grade"},
    }
    return {"class_id": class_id, "outcome": outcome, "seats": 1, **facts.get(outcome, {})}


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    return (await http.get(f"{url}/health/ready")).status_code == 200
