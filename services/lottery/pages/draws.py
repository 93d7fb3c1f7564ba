"""Render `/draws` for staff: timeline, demand, results and history of each draw.

The service renders the whole page, so that it can be read without a program. The program only fetches the page again
and sends what staff do to `/v1`, in the name of the person who signed in.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.lottery.draw.rules.states import DrawState
from services.lottery.places.one_receipt import read_receipt
from services.lottery.statistics.counts import DrawCounts
from services.lottery.statistics.overview import Course, DrawOverview
from services.lottery.statistics.rules.demand import CHANNELS, LOST_REASONS, chart
from services.lottery.statistics.rules.timeline import StepState, current
from shared import dates
from shared.approvals import ApprovalKind
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.contracts import StaffAct
from shared.ids import CampaignId
from shared.receipts import normalise_receipt
from shared.staff_acts import record_reading
from shared.staff_roles import Right
from shared.storage import Store
from shared.web.pages import Renderer, page_headers
from shared.web.sign_in.access import StaffAccess
from shared.web.sign_in.staff import Staff

_HEADERS: Final = page_headers(forms=True)
_PROGRAM: Final = ("call.", "live.", "draws.say.")
"""Prefixes of the texts that the programs show by themselves."""


@dataclass(frozen=True)
class DrawPages:
    """Staff pages of this installation's draws; one per process."""

    campaigns: Mapping[CampaignId, Campaign]
    overview: DrawOverview
    counts: DrawCounts
    clock: Clock
    renderer: Renderer
    access: StaffAccess
    store: Store

    async def staff(self, request: Request) -> Staff | None:
        """Return the person who signed in, or None. Raises 403 for a person who may not see draws."""
        return await self.access.staff(request, Right.READ_DRAWS)

    async def index(self, texts: Catalogue, staff: Staff) -> Response:
        """Redirect to the page of the only campaign, or return a list with the state of each."""
        if len(self.campaigns) == 1:
            (only,) = self.campaigns
            return RedirectResponse(f"{texts.prefix}/draws/{only}", 303, _HEADERS)
        campaigns = [
            (campaign, current((await self.overview.course(campaign)).steps)) for campaign in self.campaigns.values()
        ]
        return self._page("draws.html", texts, "/draws", staff, campaigns=campaigns)

    async def draw(self, campaign: Campaign, texts: Catalogue, staff: Staff) -> Response:
        """Return the page of a campaign's draw."""
        course = await self.overview.course(campaign)
        demand = await self.counts.demand(campaign, course)
        return self._page(
            "draw.html",
            texts,
            f"/draws/{campaign.id}",
            staff,
            campaign=campaign,
            course=course,
            current=current(course.steps),
            demand=demand,
            bars={bar.class_id: bar for bar in chart(demand or ())},
            channels=CHANNELS,
            results=await self.counts.results(campaign, course),
            lost_reasons=LOST_REASONS,
            places=await self.counts.places(campaign, course),
            missing=_missing(course, self.clock.now()),
            frozen=course.state.reached(DrawState.FROZEN),
            drawn=course.state.reached(DrawState.DRAWN),
            published=course.state.reached(DrawState.PUBLISHED),
            requests=self._requests(campaign, course, texts),
            ceremony_page=f"{self.access.vault_address}{texts.prefix}/desk/dice/{campaign.id}",
            data=self._program_data(campaign, texts, staff),
        )

    async def receipt(self, campaign: Campaign, typed: str, texts: Catalogue, staff: Staff) -> Response:
        """Return the page of one application's results, to which the vault's telephone desk leads. It is recorded."""
        try:
            receipt = normalise_receipt(typed)
        except ValueError:
            return self.missing(texts, staff)
        result = await read_receipt(self.store, campaign, receipt)
        if result is not None:
            await record_reading(self.store, "lottery", StaffAct.READ_RESULTS, staff.actor, receipt, campaign.id)
        return self._page(
            "draws_receipt.html",
            texts,
            f"/draws/{campaign.id}/receipts/{receipt}",
            staff,
            campaign=campaign,
            classes={event_class.id: event_class for event_class in campaign.classes},
            receipt=receipt,
            result=result,
            moment=datetime.fromisoformat,
        )

    def missing(self, texts: Catalogue, staff: Staff) -> Response:
        """Return the page for an unknown campaign (404)."""
        return self._page("draws_missing.html", texts, None, staff, status=404)

    def _page(self, template: str, texts: Catalogue, path: str | None, staff: Staff, **values: Any) -> Response:
        return self.renderer.page(
            template, texts, path, headers=_HEADERS, staff=staff, dates=dates, now=self.clock.now(), **values
        )

    def _requests(self, campaign: Campaign, course: Course, texts: Catalogue) -> Mapping[str, str]:
        """Return the addresses at the vault where this draw's acts of two people are requested, by act."""
        acts = {kind.value: (kind, params) for kind, params in course.approval_params.items()}
        redraw = {**course.approval_params[ApprovalKind.REDRAW], "reopen": True}
        acts["redraw-reopen"] = (ApprovalKind.REDRAW, redraw)
        home = f"{self.access.vault_address}{texts.prefix}/approve/new"
        return {
            act: f"{home}?{urlencode({'kind': kind.value, 'campaign': campaign.id, 'params': json.dumps(params)})}"
            for act, (kind, params) in acts.items()
        }

    def _program_data(self, campaign: Campaign, texts: Catalogue, staff: Staff) -> Mapping[str, Any]:
        """Return the page's data block; services/lottery/web/src/draws/page.ts has its type."""
        return {
            "lang": texts.lang,
            "now": self.clock.now().isoformat(),
            "texts": texts.for_the_program(_PROGRAM),
            "campaign": campaign.id,
            "actor": staff.actor,
            "classes": [
                [event_class.id, f"{event_class.number} {event_class.title.in_language(texts.lang)}"]
                for event_class in campaign.classes
            ],
        }


def _missing(course: Course, now: datetime) -> frozenset[str]:
    """Return the codes of what staff can do now; a beacon's value cannot be entered before it exists."""
    waits = (wait for step in course.steps if step.state is StepState.WAITING for wait in step.waits)
    return frozenset(wait.code for wait in waits if wait.until is None or wait.until <= now)


def draws_router(pages: DrawPages) -> APIRouter:
    """Return the router: Japanese at `/draws`, other languages below their prefixes."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/", _to_draws, methods=["GET"], response_model=None)
    for texts in pages.renderer.catalogues:
        router.include_router(_of_language(pages, texts), prefix=texts.prefix)
    return router


async def _to_draws() -> Response:
    """Redirect staff who signed in without having asked for a page."""
    return RedirectResponse("/draws", 303, _HEADERS)


def _of_language(pages: DrawPages, texts: Catalogue) -> APIRouter:
    router = APIRouter(prefix="/draws")

    @router.get("", response_model=None)
    async def index(request: Request) -> Response:
        staff = await pages.staff(request)
        return pages.access.to_sign_in(request) if staff is None else await pages.index(texts, staff)

    @router.get("/{campaign}", response_model=None)
    async def draw(request: Request, campaign: str) -> Response:
        return await page_of(request, campaign, pages.draw)

    @router.get("/{campaign}/receipts/{receipt}", response_model=None)
    async def of_receipt(request: Request, campaign: str, receipt: str) -> Response:
        async def page(known: Campaign, texts: Catalogue, staff: Staff) -> Response:
            return await pages.receipt(known, receipt, texts, staff)

        return await page_of(request, campaign, page)

    async def page_of(request: Request, campaign: str, page: Any) -> Response:
        staff, known = await pages.staff(request), pages.campaigns.get(CampaignId(campaign))
        if staff is None:
            return pages.access.to_sign_in(request)
        answer: Response = pages.missing(texts, staff) if known is None else await page(known, texts, staff)
        return answer

    return router
