"""Wiring of papers for the vault's `app.py`: the inbox, keying, the pool, and their collections."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

from fastapi import APIRouter

from services.vault.applications.rules.residency import Municipalities
from services.vault.applications.search import DuplicateSearch
from services.vault.audit import AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.papers import counts_repository, draft_repository, keying_repository, repository, seeded_repository
from services.vault.papers.character_endpoints import characters_router
from services.vault.papers.character_readings import Prints
from services.vault.papers.clamd import Scanner
from services.vault.papers.counts_repository import CountsRepository
from services.vault.papers.endpoints import papers_router
from services.vault.papers.inbox import PaperInbox
from services.vault.papers.keyed import KeyedApplications
from services.vault.papers.keyers import Keyers
from services.vault.papers.keying import Keying
from services.vault.papers.pool import PaperPool
from services.vault.papers.postal_endpoints import postal_router
from services.vault.papers.sandbox import Sandbox
from services.vault.papers.seeded_deletion import SeededDeletion
from services.vault.papers.seeded_endpoints import seeded_limit, seeded_router
from services.vault.papers.settle import PaperSettler
from services.vault.people.parts import People
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import PaperReceived, ReceiptsAssigned
from shared.ids import CampaignId
from shared.messaging import Batch, Bus
from shared.postal_codes import PostalCodes
from shared.storage import Collection
from shared.web import BodyLimit
from shared.web.sign_in.staff import Access

PAPERS_AT_ONCE: Final = Batch(size=2, wait_s=0.05)
"""Each is inspected in a process of its own, so two keep two cores at work; a paper is up to 11 MB of message."""


@dataclass(frozen=True)
class Papers:
    """Parts of papers, made once for a vault process."""

    campaigns: Mapping[CampaignId, Campaign]
    inbox: PaperInbox
    keyed: KeyedApplications
    keying: Keying
    pool: PaperPool
    counts: CountsRepository
    seeding: Callable[[Access], APIRouter]
    seeded_deletion: SeededDeletion
    keystore: Keystore
    is_scanned: bool

    @classmethod
    def make(
        cls,
        people: People,
        keystore: Keystore,
        audit: AuditLog,
        clock: Clock,
        campaigns: Mapping[CampaignId, Campaign],
        municipalities: Municipalities,
        scanner: Scanner,
        search: DuplicateSearch,
    ) -> Self:
        """Return the parts, connected."""
        store, sandbox = people.store, Sandbox()
        settler = PaperSettler(store, audit, campaigns, municipalities)
        keying = Keying(store, keystore, audit, campaigns, clock, Keyers(people), settler)
        return cls(
            campaigns,
            PaperInbox(store, keystore, audit, campaigns, clock, scanner, sandbox),
            KeyedApplications(store, keystore, audit, campaigns, municipalities, search),
            keying,
            PaperPool(keying, keystore, audit, clock, sandbox),
            CountsRepository(store),
            partial(seeded_router, store, keystore, audit, campaigns, clock, keying, scanner),
            SeededDeletion(store, keystore, audit, clock, keying),
            keystore,
            scanner.is_set,
        )

    def lacks_scanner(self, campaign: CampaignId) -> bool:
        """Return True if papers of real people are opened without a look for malware (R-S9)."""
        return not self.is_scanned and not self.campaigns[campaign].rehearsal

    async def count_without_scanner(self) -> int:
        """Return the number of campaigns, not erased, that lack a scanner; an alarm."""
        open_ones = [each for each in self.campaigns if self.keystore.fingerprint_of_destroyed(each) is None]
        return sum(map(self.lacks_scanner, open_ones))

    def consume(self, bus: Bus) -> None:
        """Consume papers, and the receipt numbers of what was keyed from them."""
        bus.consume(PaperReceived, self.inbox.on_received, PAPERS_AT_ONCE, prepare=self.inbox.prepare)
        bus.consume(ReceiptsAssigned, self.keyed.on_assigned)

    @staticmethod
    def limit(access: Access) -> BodyLimit:
        """Return the limit of bodies that hold a scan."""
        return seeded_limit(access)

    def router(self, access: Access, prints: Prints) -> APIRouter:
        """Return the endpoints under /v1. `prints`: whether a card can show a character."""
        router = APIRouter()
        router.include_router(papers_router(self.campaigns, self.inbox, self.keying, self.pool, access))
        router.include_router(self.seeding(access))
        router.include_router(postal_router(PostalCodes(), access))
        router.include_router(characters_router(prints, access))
        return router


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    parts = (repository, draft_repository, keying_repository, counts_repository, seeded_repository)
    return [collection for part in parts for collection in part.collections()]
