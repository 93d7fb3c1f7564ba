"""One service's part in the erasure of one person, on its real stores."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from services.intake.person_erasure import IntakePeople
from services.lottery.keys import LotteryKeys
from services.lottery.person_erasure import LotteryPeople
from services.lottery.slips import SlipSigner
from services.notifier.person_erasure import NotifierPeople
from services.vault.person_erasure.rules.certificate import REQUIRED
from shared.campaign import load_campaign
from shared.clock import FixedClock
from shared.contracts import ApplicationsAccepted, Event, PersonErased, PersonErasureRequested
from shared.erasure import PERSON_ANSWER_CONTEXT, PersonErasures, PersonStores, answer_document
from shared.ids import Receipt
from shared.messaging.erased import ErasedCampaigns
from shared.storage import OUTBOX, Store, UnitOfWork
from tests.support.applicants import Applicant
from tests.support.erasure_harness import PlannedQueues, answer_keys
from tests.support.planting import planted_service
from tests.support.service_keys import keys_dir, service_key
from tests.support.vault_parts import CAMPAIGN, SAMPLE

ERASURE = "person-1"
SETTINGS = load_campaign(SAMPLE)


class HasReceipt(Protocol):
    """Name the receipt number by which a person is erased."""

    @property
    def receipt(self) -> Receipt:
        """Receipt number."""


@dataclasses.dataclass
class Service:
    """A service's part in the erasure of people."""

    store: Store
    people: PersonErasures
    queues: PlannedQueues

    async def take(self, events: Sequence[Event], handler: Callable[..., Awaitable[None]]) -> None:
        """Pass events through what every consumed event passes, then to the real handler."""

        async def handle(uow: UnitOfWork) -> None:
            named = {f"e-{number}": event for number, event in enumerate(events)}
            kept = await ErasedCampaigns(self.store, "queue").without(named, uow)  # type: ignore[type-var]
            if kept:
                await handler(list(kept.values()), uow)

        await self.store.transact(handle)

    async def request(self, applicant: HasReceipt, erasure: str = ERASURE) -> None:
        """Ask for the person's erasure."""
        event = PersonErasureRequested(
            campaign=CAMPAIGN, erasure_id=erasure, receipt=applicant.receipt, version=1, channel="web"
        )
        await self.store.transact(lambda uow: self.people.on_requested([event], uow))

    async def erase(self, applicant: HasReceipt) -> PersonErased | None:
        """Ask for the person's erasure, work, and return the answer."""
        await self.request(applicant)
        await self.people.carry_out(SETTINGS)
        found = await self.answers()
        return found[-1] if found else None

    async def answers(self) -> list[PersonErased]:
        """Return the answers in the outbox."""
        lines = self.store.db[OUTBOX].find({"name": PersonErased.name})
        return [PersonErased.model_validate_json(line["body"]) async for line in lines]

    async def everything(self) -> str:
        """Return all documents but the tombstones, as the driver shows them."""
        names = [name for name in await self.store.db.list_collection_names() if name != "person_tombstones"]
        return "\n".join([repr(one) for name in names async for one in self.store.db[name].find()])


def stores_of(name: str, store: Store) -> PersonStores:
    """Return the service's stores of people."""
    if name == "intake":
        return IntakePeople(store)
    if name == "notifier":
        return NotifierPeople(store)
    signer = SlipSigner(LotteryKeys(keys_dir()), {CAMPAIGN: SETTINGS})
    return LotteryPeople(store, FixedClock(SETTINGS.window.opens), signer)


@asynccontextmanager
async def service_of(name: str, mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Service]:
    """Open the service's stores, with the collections of its part."""
    async with planted_service(name, mongo_url, namespace, tmp_path) as planted:
        store, queues = planted.service.store, PlannedQueues()
        part = PersonErasures(name, store, stores_of(name, store), queues, service_key(name), wait_s=0)  # type: ignore[arg-type]
        yield Service(store, part, queues)


def check(answer: PersonErased | None, name: str, **before: int) -> None:
    """Check that the answer is whole, signed, and says that nothing is left."""
    assert answer is not None
    assert {row.store for row in answer.stores} == REQUIRED[name]
    assert {row.result for row in answer.stores} == {"PASS"}
    assert {row.store: row.before for row in answer.stores if row.before} == before
    assert answer_keys().verify_document(PERSON_ANSWER_CONTEXT, answer_document(answer), name)
    assert not answer_keys().verify_document(PERSON_ANSWER_CONTEXT, answer_document(answer), "vault")


def accepted(*applicants: Applicant, revision: int = 1) -> ApplicationsAccepted:
    """Return the verdict on these applications."""
    items = tuple(one.accepted([("adult-running", 1)], revision=revision) for one in applicants)
    return ApplicationsAccepted(campaign=CAMPAIGN, items=items)
