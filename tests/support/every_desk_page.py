"""Put all of the vault's pages for staff beside the telephone desk, and walk them: by routes, so none is forgotten."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from fastapi import FastAPI
from httpx import AsyncClient

from services.vault.applications import pair_repository
from services.vault.applications.readings import NameReadings
from services.vault.applications.review import ReviewQueue
from services.vault.applications.search import DuplicateSearch
from services.vault.desk.wiring import desk_routers
from services.vault.doubts.wiring import doubt_routers
from services.vault.papers import wiring as papers_wiring
from services.vault.papers.clamd import Scanner
from services.vault.papers.wiring import Papers
from services.vault.records.rules.documents import DocumentName
from services.vault.records.wiring import record_routers
from services.vault.telephone.rules.purposes import DeskPurpose
from shared.postal_codes import PostalCodes
from shared.typesetting import Typesetter
from tests.support.people_harness import ORIGINS
from tests.support.routes import routes_of
from tests.support.telephone_harness import PAGE, TelephoneDesk
from tests.support.vault_parts import CAMPAIGN, Known

PREFIX: Final = "/desk"
REGISTER: Final = "/desk/requests"

LEADS_ON: Final = frozenset({"/desk/dice", "/desk/papers"})
"""Pages of several campaigns; with one they lead to its page."""

OF_ERASED: Final = frozenset(f"/desk/requests/{{request_id}}/certificate.{form}" for form in ("json", "pdf"))
"""Certificates of an erased person: a register of living ones has none."""


async def add_all_pages(desk: TelephoneDesk, origins: Mapping[str, str] = ORIGINS) -> Papers:
    """Add home, papers, doubts and records before the pages of people and of the telephone, as the vault does."""
    staff, register = desk.staff, desk.register
    store, keystore, audit = staff.store, staff.keystore, staff.audit
    for part in (papers_wiring, pair_repository):
        await store.ensure(part.collections())
    search = DuplicateSearch(store, keystore, audit, NameReadings().of)
    towns, campaigns, clock = PostalCodes().municipalities, register.campaigns, staff.clock
    papers = Papers.make(staff.people, keystore, audit, clock, campaigns, towns, Scanner(None), search)
    review, known = ReviewQueue(store, keystore, audit, clock), register.identities
    routers = (
        *desk_routers(origins, staff.people, staff.approvals, keystore, papers, review, store, clock),
        *doubt_routers(origins, staff.people, staff.approvals, keystore, audit, known, campaigns, clock),
        *record_routers(origins, staff.people, staff.approvals, audit, keystore.signing, Typesetter(), campaigns),
    )
    behind, staff.app.router.routes[:] = list(staff.app.router.routes), []
    for router in routers:
        staff.app.include_router(router)
    staff.app.router.routes += behind
    return papers


def sample_parameters(known: Sequence[Known], request_id: str = "0" * 32) -> dict[str, str]:
    """Return values for the parameters of the paths: of people in the register, one of them with a doubt."""
    return {
        "campaign": CAMPAIGN,
        "application_id": known[0].application_id,
        "purpose": "arrived",
        "act": "correct",
        "one": known[0].application_id,
        "other": known[1].application_id,
        "name": next(iter(DocumentName)),
        "request_id": request_id,
    }


def page_paths(app: FastAPI) -> list[str]:
    """Return the paths of all pages and downloads of the desk in Japanese, with their parameters in braces."""
    return sorted(set(_gets(app)))


def _gets(app: FastAPI) -> Iterator[str]:
    return (path for method, path in routes_of(app) if method == "GET" and path.startswith(PREFIX))


async def granted_disclosure(handler: AsyncClient, ward: AsyncClient, one: Known) -> str:
    """Record a request for disclosure that the ward grants; return its id."""
    fields = {"kind": "disclosure", "identity": "seen-document"}
    recorded = await handler.post(f"{PAGE}/{one.application_id}/{DeskPurpose.RIGHTS}/requests", data=fields)
    assert recorded.status_code == 303
    page = (await ward.get(REGISTER)).text
    request_id: str = page.split(f'action="{REGISTER}/')[1].split('"')[0]
    assert (await ward.post(f"{REGISTER}/{request_id}", data={"to": "granted"})).status_code == 303
    return request_id
