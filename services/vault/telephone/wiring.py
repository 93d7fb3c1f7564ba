"""Wiring of the telephone desk for the vault's `app.py`."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from services.vault.applications.rules.match_keys import Readings
from services.vault.applications.rules.residency import Municipalities
from services.vault.approvals import pages as approval_pages
from services.vault.approvals.parts import ApprovalParts
from services.vault.approvals.wiring import pages_router
from services.vault.audit import AuditLog
from services.vault.identities.reveal import Identities
from services.vault.keys.keystore import Keystore
from services.vault.people.pages.context import Web
from services.vault.people.parts import People
from services.vault.person_erasure.order import PersonErasureOrders
from services.vault.person_erasure.repository import PersonErasureRepository
from services.vault.telephone.asking import NoticeRequests
from services.vault.telephone.changes import ApplicationChanges
from services.vault.telephone.disclosure import Disclosures
from services.vault.telephone.pages import TEMPLATES, TEXTS
from services.vault.telephone.pages.changes import ChangePages, changes_router
from services.vault.telephone.pages.erasure import ErasurePages, erasure_pages_router
from services.vault.telephone.pages.notices import NoticePages, asking_router
from services.vault.telephone.pages.requests import RequestPages, requests_router
from services.vault.telephone.pages.site import TelephonePages, telephone_router
from services.vault.telephone.person_file import PersonFiles
from services.vault.telephone.requests import SubjectRequests
from services.vault.telephone.search import PersonSearch
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId
from shared.typesetting import Typesetter


def telephone_routers(
    origins: Mapping[str, str],
    people: People,
    approvals: ApprovalParts,
    keystore: Keystore,
    audit: AuditLog,
    identities: Identities,
    readings: Readings,
    campaigns: Mapping[CampaignId, Campaign],
    municipalities: Municipalities,
    clock: Clock,
    typesetter: Typesetter,
    orders: PersonErasureOrders,
) -> Sequence[APIRouter]:
    """Return the router of the pages; none without KUJI_ORIGINS."""
    if not origins:
        return ()
    web = Web.make(
        people, origins, keystore.signing, approvals.count_waiting,
        templates=[TEMPLATES], texts=[approval_pages.TEXTS, TEXTS],
    )  # fmt: skip
    store = people.store
    pages = TelephonePages(
        web,
        keystore,
        campaigns,
        PersonSearch(store, keystore, audit, identities, readings),
        PersonFiles(store, identities, campaigns),
        clock,
    )
    changes = ApplicationChanges(store, keystore, identities, campaigns, municipalities, clock)
    asking = NoticePages(pages, NoticeRequests(store, keystore, audit, clock))
    ja = web.renderer.catalogues[0]
    disclosures = Disclosures(store, pages.files, keystore, typesetter, clock, ja)
    erasures = PersonErasureRepository(store)
    requests = RequestPages(pages, SubjectRequests(store, keystore, audit, clock), disclosures, clock, erasures)
    router = pages_router(web)
    for texts in web.renderer.catalogues:
        router.include_router(telephone_router(pages, texts), prefix=texts.prefix)
        router.include_router(requests_router(requests, texts), prefix=texts.prefix)
        erasing = ErasurePages(requests, orders, erasures)
        router.include_router(erasure_pages_router(erasing, texts), prefix=texts.prefix)
        router.include_router(asking_router(asking, texts), prefix=texts.prefix)
        if "intake" in web.others:
            router.include_router(changes_router(ChangePages(pages, changes, clock), texts), prefix=texts.prefix)
    return (router,)
