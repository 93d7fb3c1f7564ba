"""Render `/withdraw`, where applicants give up a place or answer an offer; it works without a program.

Receipt number and code travel in the body of a form only, never in an address, and only the page that asks for the next
step contains them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter, Depends, Response
from fastapi.responses import RedirectResponse

from services.lottery.draw.rules.states import WrongStateError
from services.lottery.places.endpoints import APPLICANT, PlaceServices
from services.lottery.places.moves import Answer, NoSuchPlaceError
from services.lottery.places.ownership import PlaceOwner, TooManyAttemptsError, WrongCodeError
from services.lottery.promotion.waiting_list import InvalidMoveError
from shared import dates
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.errors import KujiError
from shared.ids import CampaignId, ClassId
from shared.web.forms import form_fields
from shared.web.pages import Renderer, page_headers

_HEADERS: Final = page_headers(forms=True)

_ANSWERS: Final[Mapping[str, Answer]] = {answer: answer for answer in get_args(Answer)}

_ERRORS: Final[Mapping[type[KujiError], tuple[str, int]]] = {
    WrongCodeError: ("withdraw.error.not-yours", 403),
    TooManyAttemptsError: ("withdraw.error.too-many", 429),
    WrongStateError: ("withdraw.error.not-now", 409),
    InvalidMoveError: ("withdraw.error.not-possible", 409),
    NoSuchPlaceError: ("withdraw.error.not-possible", 409),
}
"""Text and HTTP status of each error."""

Fields = Mapping[str, str]


@dataclass(frozen=True)
class WithdrawPages:
    """Pages of this installation's campaigns; one per process."""

    desk: PlaceServices
    renderer: Renderer

    def index(self, texts: Catalogue) -> Response:
        """Redirect to the page of the only campaign, or return a list."""
        campaigns = self.desk.campaigns
        if len(campaigns) == 1:
            (only,) = campaigns
            return RedirectResponse(f"{texts.prefix}/c/{only}/withdraw", 303, _HEADERS)
        return self._page("withdraw_campaigns.html", texts, "/withdraw", campaigns=campaigns.values())

    def missing(self, texts: Catalogue) -> Response:
        """Return the list of campaigns for an unknown campaign (404)."""
        campaigns = self.desk.campaigns.values()
        return self._page("withdraw_campaigns.html", texts, "/withdraw", status=404, campaigns=campaigns)

    def form(
        self, campaign: Campaign, texts: Catalogue, wrong: str | None = None, status: int = 200, receipt: str = ""
    ) -> Response:
        """Return the form for receipt number and code; it never contains a code."""
        path = f"/c/{campaign.id}/withdraw"
        return self._page("withdraw.html", texts, path, status=status, campaign=campaign, wrong=wrong, receipt=receipt)

    async def submit(self, campaign: Campaign, texts: Catalogue, fields: Fields) -> Response:
        """Do what the form asks for, and return the page with the applicant's places."""
        try:
            own = await self.desk.owners.prove(campaign.id, fields.get("receipt", ""), fields.get("pass_code", ""))
        except tuple(_ERRORS) as error:
            text, status = _ERRORS[type(error)]
            return self.form(campaign, texts, text, status, fields.get("receipt", "")[:40])
        answer, class_id = _ANSWERS.get(fields.get("answer", "")), fields.get("class_id", "")
        if answer is None:
            return await self._own(campaign, texts, own, fields)
        if answer != "accept" and "sure" not in fields:
            return await self._own(campaign, texts, own, fields, asking={"answer": answer, "class_id": class_id})
        try:
            await self.desk.places.answer(campaign.id, own.application_id, ClassId(class_id), answer, APPLICANT)
        except tuple(_ERRORS) as error:
            text, status = _ERRORS[type(error)]
            return await self._own(campaign, texts, own, fields, wrong=text, status=status)
        return await self._own(campaign, texts, own, fields, done=f"withdraw.done.{answer}")

    async def _own(
        self, campaign: Campaign, texts: Catalogue, own: PlaceOwner, fields: Fields, status: int = 200, **more: Any
    ) -> Response:
        places = (await self.desk.own(own))["places"]
        values: dict[str, Any] = {"asking": None, "wrong": None, "done": None, **more}
        return self._page(
            "withdraw_own.html",
            texts,
            None,
            status=status,
            campaign=campaign,
            receipt=own.receipt,
            pass_code=fields["pass_code"],
            places=[_texts_of(campaign, texts, place) for place in places],
            **values,
        )

    def _page(self, template: str, texts: Catalogue, path: str | None, *, status: int = 200, **values: Any) -> Response:
        return self.renderer.page(template, texts, path, status=status, headers=_HEADERS, **values)


def _texts_of(campaign: Campaign, texts: Catalogue, place: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a place's members with the texts that the page shows."""
    event_class = campaign.event_class(place["class_id"])
    assert event_class is not None  # noqa: S101  (the draw was over the campaign's own classes)
    answer_by = place["answer_by"]
    return {
        **place,
        "title": f"{event_class.number} {event_class.title.in_language(texts.lang)}",
        "when": dates.format_span(event_class.starts, event_class.ends, texts),
        "where": event_class.place.in_language(texts.lang),
        "answer_by": answer_by and dates.format_moment(datetime.fromisoformat(answer_by), texts),
    }


def withdraw_router(pages: WithdrawPages) -> APIRouter:
    """Return the router, in each language of the catalogues."""
    router = APIRouter(include_in_schema=False)
    for texts in pages.renderer.catalogues:
        _in_language(router, pages, texts)
    return router


def _in_language(router: APIRouter, pages: WithdrawPages, texts: Catalogue) -> None:
    @router.get(f"{texts.prefix}/withdraw", response_model=None)
    async def index() -> Response:
        return pages.index(texts)

    @router.get(f"{texts.prefix}/c/{{campaign}}/withdraw", response_model=None)
    async def ask(campaign: str) -> Response:
        known = pages.desk.campaigns.get(CampaignId(campaign))
        return pages.missing(texts) if known is None else pages.form(known, texts)

    @router.post(f"{texts.prefix}/c/{{campaign}}/withdraw", response_model=None)
    async def answer(campaign: str, fields: Annotated[dict[str, str], Depends(form_fields)]) -> Response:
        known = pages.desk.campaigns.get(CampaignId(campaign))
        return pages.missing(texts) if known is None else await pages.submit(known, texts, fields)
