"""Wiring of the ceremony for the vault's `app.py`: the service, its endpoints and its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from fastapi import APIRouter

from services.vault.approvals import pages as approval_pages
from services.vault.approvals.wiring import pages_router
from services.vault.audit import AuditLog
from services.vault.dice import repository
from services.vault.dice.ceremony_service import CeremonyService
from services.vault.dice.endpoints import dice_router
from services.vault.dice.pages import TEMPLATES, TEXTS
from services.vault.dice.pages.site import DicePages, dice_pages_router
from services.vault.people.pages.context import CountWaiting, Web
from services.vault.people.parts import People
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import DiceRequested
from shared.ids import CampaignId
from shared.messaging import Bus
from shared.signing import SigningKey
from shared.storage import Collection, Store
from shared.web.sign_in.staff import Access


@dataclass(frozen=True)
class Dice:
    """Parts of the ceremony, made once for a vault process."""

    campaigns: Mapping[CampaignId, Campaign]
    service: CeremonyService
    signing: SigningKey
    clock: Clock

    @classmethod
    def make(
        cls,
        store: Store,
        audit: AuditLog,
        signing: SigningKey,
        clock: Clock,
        campaigns: Mapping[CampaignId, Campaign],
    ) -> Self:
        """Return the parts, connected."""
        return cls(campaigns, CeremonyService(store, audit, signing, clock), signing, clock)

    def consume(self, bus: Bus) -> None:
        """Consume what the lottery asks for."""
        bus.consume(DiceRequested, self.service.on_requested)

    def routers(
        self, access: Access, people: People, origins: Mapping[str, str], count_waiting: CountWaiting
    ) -> tuple[APIRouter, ...]:
        """Return the endpoints under /v1, and the page; no page without KUJI_ORIGINS."""
        endpoints = dice_router(self.campaigns, self.service, self.clock, access)
        if not origins:
            return (endpoints,)
        web = Web.make(
            people, origins, self.signing, count_waiting,
            templates=[TEMPLATES, approval_pages.TEMPLATES], texts=[approval_pages.TEXTS, TEXTS],
        )  # fmt: skip
        pages, router = DicePages(web, self.service, self.campaigns, self.clock), pages_router(web)
        for texts in web.renderer.catalogues:
            router.include_router(dice_pages_router(pages, texts), prefix=texts.prefix)
        return (endpoints, router)


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    return repository.collections()
