"""Render `/notices` for staff: how many are still to be told, what waits for a person, and each kind by state.

The service renders the whole page, so that it can be read without a program. The program fetches the page again and
replaces what changed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.notifier.announcements.announcement import Announcement
from services.notifier.announcements.repository import AnnouncementRepository
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.counts_repository import NoticeCountsRepository, NoticeTally
from services.notifier.overview import Overview
from services.notifier.pages import DIST, TEMPLATES, TEXTS
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import NoticeRepository
from services.notifier.rules.kinds import RESULT
from services.notifier.rules.notice import UNDECIDED
from services.notifier.rules.states import NoticeState
from services.notifier.rules.tasks import Task, open_tasks
from services.notifier.wall_clock import wall_now
from shared import dates
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.contracts import StaffAct
from shared.ids import CampaignId, Receipt
from shared.receipts import normalise_receipt
from shared.staff_acts import record_reading
from shared.staff_roles import Right
from shared.storage import Store
from shared.web.pages import Assets, Renderer, catalogues_with, page_headers
from shared.web.sign_in.access import StaffAccess
from shared.web.sign_in.staff import Staff

HEADERS: Final = page_headers(forms=True)
"""Headers of the notices' pages, whose forms go to this service only."""

_PROGRAM: Final = ("live.", "call.")
"""Prefixes of the texts that the program shows by itself."""

_SILENT_AFTER: Final = timedelta(minutes=10)
"""Wait for the mail room's answer after which the page says so."""

_STATES: Final = {state: number for number, state in enumerate(NoticeState)}


@dataclass(frozen=True)
class KindTable:
    """Counts of one kind: for each state, by mail and by post. `n`: number of the announcement, else 0."""

    kind: str
    n: int
    rows: Sequence[tuple[NoticeState, int, int]]

    @property
    def total(self) -> int:
        """Number of notices of the kind."""
        return sum(mail + post for _, mail, post in self.rows)


def kind_tables(tallies: Sequence[NoticeTally]) -> list[KindTable]:
    """Return one table for each kind and announcement, results first; states in the order of a notice's life."""
    tables = []
    for (kind, n), of_kind in groupby(sorted(tallies), key=lambda tally: (tally.kind, tally.n)):
        counts = Counter({(tally.state, tally.channel): tally.count for tally in of_kind})
        states = sorted({state for state, _ in counts}, key=lambda state: _STATES[state])
        tables.append(KindTable(kind, n, [(state, counts[state, "mail"], counts[state, "post"]) for state in states]))
    return sorted(tables, key=lambda table: (table.n, table.kind != RESULT, table.kind))


@dataclass(frozen=True)
class NoticePages:
    """Staff pages of this installation's notices; one per process."""

    campaigns: Mapping[CampaignId, Campaign]
    store: Store
    overview: Overview
    clock: Clock
    renderer: Renderer
    access: StaffAccess

    async def staff(self, request: Request) -> Staff | None:
        """Return the person who signed in, or None. Raises 403 for a person who may not see notices."""
        return await self.access.staff(request, Right.READ_NOTICES)

    async def index(self, texts: Catalogue, staff: Staff) -> Response:
        """Redirect to the page of the only campaign, or return a list."""
        if len(self.campaigns) == 1:
            (only,) = self.campaigns
            return RedirectResponse(f"{texts.prefix}/notices/{only}", 303, HEADERS)
        overviews = [(campaign, await self.overview.read(campaign)) for campaign in self.campaigns.values()]
        return self.page("notices_index.html", texts, "/notices", staff, campaigns=overviews)

    async def notices(self, campaign: Campaign, texts: Catalogue, staff: Staff) -> Response:
        """Return the page of a campaign's notices."""
        overview = await self.overview.read(campaign)
        return self.page(
            "notices.html",
            texts,
            f"/notices/{campaign.id}",
            staff,
            campaign=campaign,
            overview=overview,
            tasks=await self._tasks(campaign, overview.counts.tallies),
            tables=kind_tables(overview.counts.tallies),
            announcements=await self._announcements(campaign),
            data={
                "lang": texts.lang,
                "now": self.clock.now().isoformat(),
                "texts": texts.for_the_program(_PROGRAM),
            },
        )

    async def receipt(self, campaign: Campaign, receipt: Receipt, texts: Catalogue, staff: Staff) -> Response:
        """Return the page of one application's notices, to which the vault's telephone desk leads. It is recorded."""
        token = await ApplicantRepository(self.store.db).find_token(campaign.id, receipt)
        listed = [] if token is None else await NoticeRepository(self.store.db).list_of(campaign.id, token)
        if token is not None:
            await record_reading(self.store, "notifier", StaffAct.READ_NOTICES, staff.actor, receipt, campaign.id)
        path = f"/notices/{campaign.id}/receipts/{receipt}"
        return self.page("notices_receipt.html", texts, path, staff, campaign=campaign, receipt=receipt, listed=listed)

    async def _tasks(self, campaign: Campaign, tallies: Sequence[NoticeTally]) -> list[Task]:
        states, undecided = Counter[str](), Counter[str]()
        for tally in tallies:
            states[tally.state] += tally.count
            if tally.kind == UNDECIDED:
                undecided[tally.state] += tally.count
        oldest = await NoticeCountsRepository(self.store.db).oldest_order(campaign.id)
        is_silent = oldest is not None and oldest < wall_now() - _SILENT_AFTER
        batches = await PrintBatchRepository(self.store.db).list_batches(campaign.id)
        return open_tasks(states, batches, states[NoticeState.MAILING] if is_silent else 0, undecided)

    async def _announcements(self, campaign: Campaign) -> dict[int, Announcement]:
        listed = await AnnouncementRepository(self.store.db).list_announcements(campaign.id)
        return {announcement.number: announcement for announcement in listed}

    def missing(self, texts: Catalogue, staff: Staff) -> Response:
        """Return the page for an unknown campaign (404)."""
        return self.page("notices_missing.html", texts, None, staff, status=404)

    def page(self, template: str, texts: Catalogue, path: str | None, staff: Staff, **values: Any) -> Response:
        """Return a page in the frame of the notices' pages."""
        return self.renderer.page(
            template, texts, path, headers=HEADERS, staff=staff, dates=dates, now=self.clock.now(), **values
        )


def notifier_renderer() -> Renderer:
    """Return the renderer. Raises ConfigurationError if the pages have not been bundled."""
    return Renderer(TEMPLATES, Assets.load(DIST), catalogues_with(TEXTS))


def notices_router(pages: NoticePages) -> APIRouter:
    """Return the router of the page, its assets and sign-in: Japanese at `/notices`, others below their prefixes."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/", _to_notices, methods=["GET"], response_model=None)
    router.add_api_route("/assets/{name}", pages.renderer.asset, methods=["GET"], response_model=None)
    router.include_router(pages.access.router())

    @router.get("/signed-out", response_model=None)
    async def signed_out() -> Response:
        renderer = pages.renderer
        return renderer.page("_signed_out.html", renderer.catalogues[0], None, vault=pages.access.vault_address)

    for texts in pages.renderer.catalogues:
        router.include_router(_of_language(pages, texts), prefix=texts.prefix)
    return router


async def _to_notices() -> Response:
    """Redirect staff who signed in without having asked for a page."""
    return RedirectResponse("/notices", 303, HEADERS)


def _of_language(pages: NoticePages, texts: Catalogue) -> APIRouter:
    router = APIRouter(prefix="/notices")

    @router.get("", response_model=None)
    async def index(request: Request) -> Response:
        staff = await pages.staff(request)
        return pages.access.to_sign_in(request) if staff is None else await pages.index(texts, staff)

    @router.get("/{campaign}", response_model=None)
    async def notices(request: Request, campaign: str) -> Response:
        staff, known = await pages.staff(request), pages.campaigns.get(CampaignId(campaign))
        if staff is None:
            return pages.access.to_sign_in(request)
        return pages.missing(texts, staff) if known is None else await pages.notices(known, texts, staff)

    @router.get("/{campaign}/receipts/{receipt}", response_model=None)
    async def of_receipt(request: Request, campaign: str, receipt: str) -> Response:
        staff, known = await pages.staff(request), pages.campaigns.get(CampaignId(campaign))
        if staff is None:
            return pages.access.to_sign_in(request)
        try:
            number = normalise_receipt(receipt)
        except ValueError:
            return pages.missing(texts, staff)
        return pages.missing(texts, staff) if known is None else await pages.receipt(known, number, texts, staff)

    return router
