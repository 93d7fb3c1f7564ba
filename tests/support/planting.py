"""Services over their real stores, and one record of the campaign planted in any store that they answer for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from services.intake.applications.rate_limits import RateLimits
from services.intake.applications.repository import SubmissionRepository
from services.intake.applications.version_repository import VersionRepository
from services.intake.campaigns.sealing_key_repository import SealingKeyRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.collections import COLLECTIONS as INTAKE
from services.intake.erasure import IntakeStores
from services.intake.papers.repository import PaperRepository
from services.intake.receipts.key_repository import ReceiptKeyRepository
from services.intake.receipts.sign import ReceiptSigner
from services.intake.settings import Rates
from services.lottery.draw import collections as draws
from services.lottery.draw.repository import DrawRepository
from services.lottery.erasure import LotteryStores
from services.lottery.places import repository as places
from services.lottery.reception import repository as reception
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS as NOTIFIER
from services.notifier.erasure import NotifierStores
from shared.campaign import Campaign, load_campaign
from shared.contracts.closing import DELIVERIES, PARKED, QUEUES, RATE_LIMITS
from shared.erasure import CampaignStores, person_collections
from shared.erasure import collections as erasure_collections
from shared.storage import Store
from shared.web.wrong_proofs import WrongProofs
from tests.support.databases import own_database
from tests.support.erasure_harness import ParticipantHarness, PlannedQueues, participant
from tests.support.service_keys import service_key
from tests.support.vault_parts import SAMPLE

Plant = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class PlantedService:
    """A service's part in an erasure, and the ways to plant a record where it keeps no collection."""

    service: ParticipantHarness
    other_stores: Mapping[str, Plant]

    async def plant(self, store: str) -> None:
        """Plant one record. A store that is neither a collection nor known here fails the test."""
        if store in self._elsewhere:
            await self._elsewhere[store]()
            return
        database = self.service.store.db
        assert store in await database.list_collection_names(), f"say in tests/support/planting.py how to fill {store}"
        documents = [{"campaign": self.service.campaign.id}]
        await database.command({"insert": store, "documents": documents, "bypassDocumentValidation": True})

    @property
    def _elsewhere(self) -> dict[str, Plant]:
        broker = {PARKED: self._park, DELIVERIES: self._deliver, QUEUES: self._enqueue}
        return {**self.other_stores, **broker}

    async def _park(self) -> None:
        self.service.queues.parked_now, self.service.queues.is_stuck = 1, True

    async def _deliver(self) -> None:
        self.service.queues.in_hand = 1

    async def _enqueue(self) -> None:
        self.service.queues.inlets["an.inlet"] = 1


@asynccontextmanager
async def planted_service(name: str, mongo_url: str, namespace: str, folder: Path) -> AsyncIterator[PlantedService]:
    """Open the service's database and build its stores as its app does."""
    campaign = load_campaign(SAMPLE)
    async with own_database(mongo_url, f"{namespace}_{name}") as store:
        await store.ensure([*erasure_collections(), *person_collections()])
        stores, other_stores = await _BUILDERS[name](store, campaign, folder)
        yield PlantedService(participant(name, store, campaign, stores, PlannedQueues()), other_stores)


async def _intake(store: Store, campaign: Campaign, _: Path) -> tuple[CampaignStores, dict[str, Plant]]:
    await store.ensure(INTAKE)
    stages, limits = CampaignStageRepository(store), RateLimits(Rates(applications=9, lookups=9, overall=0))
    await stages.ensure([campaign.id])

    async def count_address() -> None:
        await limits.lookups()(Request({"type": "http", "client": ("192.0.2.1", 1), "headers": []}))

    signer = ReceiptSigner(service_key("intake"))
    submissions = SubmissionRepository(store, signer)
    stores = IntakeStores(
        store,
        submissions,
        VersionRepository(store),
        PaperRepository(store, submissions, signer),
        SealingKeyRepository(store),
        ReceiptKeyRepository(store, stages),
        stages,
        limits=(limits, WrongProofs()),
    )
    return stores, {RATE_LIMITS: count_address}


async def _lottery(store: Store, campaign: Campaign, _: Path) -> tuple[CampaignStores, dict[str, Plant]]:
    await store.ensure([*draws.collections(), *places.collections(), *reception.collections()])
    await DrawRepository(store).ensure({campaign.id: campaign})
    wrong_proofs = WrongProofs()

    async def count_wrong_proof() -> None:
        wrong_proofs.count(Request({"type": "http", "client": ("192.0.2.1", 1), "headers": []}))

    return LotteryStores(store, wrong_proofs), {RATE_LIMITS: count_wrong_proof}


async def _notifier(store: Store, campaign: Campaign, _: Path) -> tuple[CampaignStores, dict[str, Plant]]:
    await store.ensure(NOTIFIER)
    await ApplicantRepository(store.db).ensure_locks([campaign.id])
    return NotifierStores(store), {}


_BUILDERS = {"intake": _intake, "lottery": _lottery, "notifier": _notifier}
