"""Wiring of the desk's pages for the vault's `app.py`."""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter

from services.vault.applications.review import ReviewQueue
from services.vault.approvals import pages as approval_pages
from services.vault.approvals.parts import ApprovalParts
from services.vault.approvals.wiring import pages_router
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.desk.pages import TEMPLATES, TEXTS
from services.vault.desk.pages.home import HomePage, home_router
from services.vault.desk.pages.papers import KeyingPage, papers_page_router
from services.vault.desk.pages.quality import QualityPage, quality_router
from services.vault.desk.pages.seeded import SeededPage, seeded_page_router
from services.vault.desk.waiting import DeskWork
from services.vault.keys.keystore import Keystore
from services.vault.papers.wiring import Papers
from services.vault.people.pages.context import Web
from services.vault.people.parts import People
from shared.clock import Clock
from shared.storage import Store

_LINKS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("first", "second", "third"), "/desk/papers/{campaign}"),
    "doubts": "/desk/doubts",
}
"""Page of each kind of work; a kind without a page stands on the home page without a link."""


def desk_routers(
    origins: Mapping[str, str],
    people: People,
    approvals: ApprovalParts,
    keystore: Keystore,
    papers: Papers,
    review: ReviewQueue,
    store: Store,
    clock: Clock,
) -> Sequence[APIRouter]:
    """Return the router of the pages; none without KUJI_ORIGINS."""
    if not origins:
        return ()
    web = Web.make(
        people, origins, keystore.signing, approvals.count_waiting,
        templates=[TEMPLATES, approval_pages.TEMPLATES], texts=[approval_pages.TEXTS, TEXTS],
    )  # fmt: skip
    home = HomePage(
        web, DeskWork(keystore, papers, review, clock, SlipRepository(store), _links(origins)), approvals.approvals
    )
    keying = KeyingPage(web, papers.campaigns)
    quality, seeded = QualityPage(web, papers), SeededPage(keying, papers.keying.seeded, papers.seeded_deletion)
    router = pages_router(web)
    for texts in web.renderer.catalogues:
        router.include_router(home_router(home, texts), prefix=texts.prefix)
        router.include_router(quality_router(quality, texts), prefix=texts.prefix)
        router.include_router(seeded_page_router(seeded, texts), prefix=texts.prefix)
        router.include_router(papers_page_router(keying, texts), prefix=texts.prefix)
    return (router,)


def _links(origins: Mapping[str, str]) -> dict[str, str]:
    """Return the page of each kind of work; notices are decided at the notifier."""
    notices = f"{origins['notifier']}/notices/{{campaign}}" if "notifier" in origins else None
    if notices is None:
        return dict(_LINKS)
    return {**_LINKS, "unclear": notices, **dict.fromkeys(("to_phone", "failed", "returned"), f"{notices}/telephone")}
