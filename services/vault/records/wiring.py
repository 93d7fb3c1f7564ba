"""Wiring of the records' page for the vault's `app.py`."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from services.vault.approvals import pages as approval_pages
from services.vault.approvals.parts import ApprovalParts
from services.vault.approvals.wiring import pages_router
from services.vault.audit import AuditLog
from services.vault.people.pages.context import Web
from services.vault.people.parts import People
from services.vault.records.documents import Records
from services.vault.records.pages import TEMPLATES, TEXTS
from services.vault.records.pages.site import RecordPages, records_router
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.signing import SigningKey
from shared.typesetting import Typesetter


def record_routers(
    origins: Mapping[str, str],
    people: People,
    approvals: ApprovalParts,
    audit: AuditLog,
    signing: SigningKey,
    typesetter: Typesetter,
    campaigns: Mapping[CampaignId, Campaign],
) -> Sequence[APIRouter]:
    """Return the router of the page; none without KUJI_ORIGINS."""
    if not origins:
        return ()
    web = Web.make(
        people, origins, signing, approvals.count_waiting,
        templates=[TEMPLATES, approval_pages.TEMPLATES], texts=[approval_pages.TEXTS, TEXTS],
    )  # fmt: skip
    ja, office = web.renderer.catalogues[0], next(iter(campaigns.values())).office.name
    kept = approvals.approvals.repository
    pages = RecordPages(web, Records(people.accounts, kept, audit, typesetter, ja, office), audit)
    router = pages_router(web)
    for texts in web.renderer.catalogues:
        router.include_router(records_router(pages, texts), prefix=texts.prefix)
    return (router,)
