"""Wiring of the pages of doubts for the vault's `app.py`."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from services.vault.applications.review import ReviewQueue
from services.vault.approvals import pages as approval_pages
from services.vault.approvals.parts import ApprovalParts
from services.vault.approvals.wiring import pages_router
from services.vault.audit import AuditLog
from services.vault.doubts.desk import DoubtDesk
from services.vault.doubts.pages import TEMPLATES, TEXTS
from services.vault.doubts.pages.site import DoubtPages, addresses_router, doubts_router
from services.vault.identities.reveal import Identities
from services.vault.keys.keystore import Keystore
from services.vault.people.pages.context import Web
from services.vault.people.parts import People
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId


def doubt_routers(
    origins: Mapping[str, str],
    people: People,
    approvals: ApprovalParts,
    keystore: Keystore,
    audit: AuditLog,
    identities: Identities,
    campaigns: Mapping[CampaignId, Campaign],
    clock: Clock,
) -> Sequence[APIRouter]:
    """Return the router of the pages; none without KUJI_ORIGINS."""
    if not origins:
        return ()
    web = Web.make(
        people, origins, keystore.signing, approvals.count_waiting,
        templates=[TEMPLATES], texts=[approval_pages.TEXTS, TEXTS],
    )  # fmt: skip
    queue = ReviewQueue(people.store, keystore, audit, clock)
    desk = DoubtDesk(people.store, queue, identities, campaigns, clock)
    pages = DoubtPages(web, desk, campaigns)
    router = pages_router(web)
    for texts in web.renderer.catalogues:
        router.include_router(doubts_router(pages, texts), prefix=texts.prefix)
        router.include_router(addresses_router(pages, texts), prefix=texts.prefix)
    return (router,)
