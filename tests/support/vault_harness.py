"""Run a vault for one test: real broker, real database, real keys on disk, as many instances as the test asks for.

The test plays intake (says `application.received`) and reads what the vault says to the others from their queues.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import aio_pika
import httpx
import uvicorn
from aio_pika.abc import AbstractChannel, AbstractConnection

from deploy.demo.sealing import SealingKey
from services.vault.app import build
from services.vault.keys.access import RootAccess
from services.vault.keys.keystore import Keystore
from services.vault.settings import VaultSettings
from shared.campaign import Campaign, load_campaigns
from shared.contracts import ApplicationReceived, Contact, ContactsRegistered, Event, SealingKeyPublished
from shared.ids import (
    ApplicationId,
    CampaignId,
    EventId,
    Receipt,
    new_application_id,
    new_event_id,
)
from shared.messaging.envelope import EVENT_ID
from shared.messaging.names import Names
from shared.receipts import candidates
from shared.staff_roles import Role
from shared.storage import Store
from tests.support.databases import drop_database
from tests.support.identity_builders import CODE, code_of
from tests.support.namespaces import declare_queues, leave_queues
from tests.support.service_keys import signed
from tests.support.staff_sign_in import ALL_ROLES, ORIGINS, sign_in_at_vault
from tests.support.vault_parts import RECEIPT_KEY
from tests.support.waiting import until

CAMPAIGN = CampaignId("777-days")
STAFF = "desk-1"
"""Member of staff, with all roles, whose session the clients of `vault` hold."""

PASSPHRASE = "a passphrase of the tests"
SAMPLE = Path("deploy/campaigns/777-days.yaml")
_OPENS = datetime(2018, 5, 15, tzinfo=UTC)

E = TypeVar("E", bound=Event)


class Installation:
    def __init__(self, amqp_url: str, mongo_url: str, namespace: str, folder: Path) -> None:
        self.amqp_url, self.mongo_url, self.namespace, self.folder = amqp_url, mongo_url, namespace, folder
        self.settings = self._prepare()
        self.store = Store.open(mongo_url, self.settings.mongo_database)
        self.campaign: Campaign = load_campaigns(self.settings.campaigns_dir)[CAMPAIGN]
        self._names = Names(namespace)
        self._consumed: dict[tuple[str, str], list[tuple[EventId, bytes]]] = {}
        self._sent = 0
        self._said: dict[ApplicationId, int] = {}

    def _prepare(self) -> VaultSettings:
        campaigns = self.folder / "campaigns"
        campaigns.mkdir()
        (campaigns / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
        (self.folder / "passphrase").write_text(PASSPHRASE, "utf-8")
        return VaultSettings.model_validate(
            {
                "amqp_url": self.amqp_url,
                "mongo_url": self.mongo_url,
                "mongo_database": f"{self.namespace}_vault",
                "namespace": self.namespace,
                "campaigns_dir": campaigns,
                "state_dir": self.folder / "state",
                "keystore_dir": self.folder / "keys",
                "passphrase_file": self.folder / "passphrase",
                "origins": ORIGINS,
                "retry_delays_s": (1, 2),
            }
        )

    async def __aenter__(self) -> Self:
        await declare_queues(self.amqp_url, self.namespace, self.settings.retry_delays_s)
        self._connection: AbstractConnection = await aio_pika.connect(self.amqp_url, timeout=10)
        self._channel: AbstractChannel = await self._connection.channel()
        return self

    async def __aexit__(self, *_: object) -> None:
        async with self.store:
            await self._connection.close()
            await leave_queues(self.amqp_url, self.namespace, self.settings.retry_delays_s)
            await drop_database(self.store)

    @asynccontextmanager
    async def vault(self, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
        """Run one more instance behind a real socket; yield a client that is signed in as STAFF."""
        settings = self.settings.model_copy(update=changes)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build(settings), log_config=None, lifespan="on"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            await until(lambda: server.started or task.done())
            assert server.started, "the vault did not start"
            async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
                await until(lambda: _is_ready(http))
                http.headers.update(await self.sign_in())
                yield http
        finally:
            server.should_exit = True
            await task
            listener.close()

    async def sign_in(self, staff_id: str = STAFF, roles: Iterable[Role] = ALL_ROLES) -> dict[str, str]:
        """Return the headers of a member of staff; the vault must have run before."""
        keystore = Keystore.open(self.settings.keystore_dir, RootAccess.of_settings(self.settings))
        return await sign_in_at_vault(self.store, keystore, staff_id, roles)

    async def sealing_key(self, http: httpx.AsyncClient) -> SealingKey:
        """Return the key as a client gets it: intake's document, checked with the vault's public key."""
        published = await self.consumed("intake", SealingKeyPublished, 1)
        trusted = (await http.get("/v1/signing-key")).raise_for_status().json()["public_key"]
        return SealingKey.from_document(published[-1].document, campaign=CAMPAIGN, trusted=trusted)

    def received(
        self,
        key: SealingKey,
        plaintext: bytes,
        *,
        application_id: ApplicationId | None = None,
        version: int = 1,
        **changes: Any,
    ) -> ApplicationReceived:
        """Return an event of intake; each call is a second later than the one before.

        The place holder `CODE` in the plaintext becomes the code of the application.
        """
        application_id = application_id or new_application_id()
        plaintext = plaintext.replace(CODE.encode(), code_of(application_id).encode())
        self._sent += 1
        facts: dict[str, Any] = {
            "campaign": CAMPAIGN,
            "application_id": application_id,
            "receipt": receipt_of(application_id),
            "version": version,
            "channel": "web",
            "key_id": key.key_id,
            "sealed": key.seal(application_id, plaintext, version),
            "received_at": _OPENS + timedelta(seconds=self._sent),
        }
        return ApplicationReceived(**(facts | changes))

    async def say(self, *events: ApplicationReceived, event_ids: Sequence[EventId] | None = None) -> None:
        ids = event_ids or [new_event_id() for _ in events]
        for event in events:
            self._said[event.application_id] = max(event.version, self._said.get(event.application_id, 1))
        for event_id, event in zip(ids, events, strict=True):
            await self.publish(event, event_id)

    async def publish(self, event: Event, event_id: EventId | None = None) -> None:
        """Any event, as another service says it."""
        exchange = await self._channel.get_exchange(self._names.events, ensure=False)
        message = signed(event, event_id).message()
        await exchange.publish(message, event.name, timeout=10)

    async def distinct_items(
        self, service: str, event_type: type[Event], count: int, timeout_s: float
    ) -> dict[str, Any]:
        """Return the items by receipt. An event delivered twice counts once, as for any consumer."""

        async def enough() -> bool:
            return len(await self._by_application(service, event_type)) >= count

        await until(enough, timeout_s)
        return await self._by_application(service, event_type)

    async def _by_application(self, service: str, event_type: type[Event]) -> dict[str, Any]:
        await self._fetch(service, event_type.name)
        once = dict(self._consumed[(service, event_type.name)])
        events = [event_type.model_validate_json(body) for body in once.values()]
        items = [item for event in events for item in getattr(event, "items")]  # noqa: B009
        by_id = {item.receipt: item for item in items}
        assert len(by_id) == len(items), "said twice"
        return by_id

    async def consumed(self, service: str, event_type: type[E], count: int) -> list[E]:
        """Return all events for `service` so far, as soon as they hold `count` items (or messages without items)."""
        found: list[E] = []

        async def enough() -> bool:
            found[:] = [event_type.model_validate_json(body) for body in await self._fetch(service, event_type.name)]
            return sum(len(getattr(event, "items", (event,))) for event in found) >= count

        await until(enough)
        return found

    async def items(self, service: str, event_type: type[Event], count: int) -> dict[str, Any]:
        """Return the items by receipt. Fails if an application occurs twice."""
        items = [item for event in await self.consumed(service, event_type, count) for item in getattr(event, "items")]  # noqa: B009
        by_id = {item.receipt: item for item in items}
        assert len(by_id) == len(items), "said twice"
        return by_id

    async def newest(self, service: str, event_type: type[Event], count: int) -> dict[str, Any]:
        """Return the item of the highest revision by receipt, as soon as there are `count` items in all."""
        events = await self.consumed(service, event_type, count)
        items = [item for event in events for item in getattr(event, "items")]  # noqa: B009
        return {item.receipt: item for item in sorted(items, key=lambda item: item.revision)}

    async def newest_contacts(self, count: int) -> dict[str, Contact]:
        """Return the newest contact of each receipt, as soon as there are `count` contacts in all."""
        return await self.newest("notifier", ContactsRegistered, count)

    async def event_ids(self, service: str, event_type: type[Event]) -> list[EventId]:
        await self._fetch(service, event_type.name)
        return [event_id for event_id, _ in self._consumed.get((service, event_type.name), [])]

    async def said_everything(self) -> None:
        """Everything sent is judged, nothing waits in the vault's queue or in its outbox."""

        async def nothing_waits() -> bool:
            queue = await self._channel.get_queue(self._names.queue("vault", ApplicationReceived), ensure=True)
            rows = self.store.db["applications"].find({"_id": {"$in": list(self._said)}}, {"version": 1})
            judged = {row["_id"]: row["version"] async for row in rows}
            waiting = queue.declaration_result.message_count or await self.store.outbox.backlog()
            return judged == self._said and not waiting

        await until(nothing_waits)

    async def _fetch(self, service: str, name: str) -> list[bytes]:
        kept = self._consumed.setdefault((service, name), [])
        queue = await self._channel.get_queue(self._names.queue(service, name), ensure=False)
        while (message := await queue.get(no_ack=True, fail=False)) is not None:
            kept.append((EventId(str(message.headers[EVENT_ID])), message.body))
        return [body for _, body in kept]

    def everything_consumed(self) -> bytes:
        """Return the bodies of all messages that were read from the queues so far."""
        return b"\n".join(body for bodies in self._consumed.values() for _, body in bodies)

    async def everything_stored(self) -> bytes:
        """Return all documents of the vault's database, as the driver shows them."""
        names = await self.store.db.list_collection_names()
        documents = [each for name in names for each in await self.store.db[name].find().to_list(None)]
        return "\n".join(map(repr, documents)).encode()


def receipt_of(application_id: ApplicationId) -> Receipt:
    """Return the receipt number that the tests' intake gives to an application."""
    return next(candidates(RECEIPT_KEY, "web", application_id))


async def _is_ready(http: httpx.AsyncClient) -> bool:
    return (await http.get("/health/ready")).status_code == 200
