"""Render the telephone list: applicants whom neither mail nor card tells, and the record that a handler told one.

A receipt number leads to the telephone number at the vault; no name or number is here. All of it works without a
program. Recorded is only that the applicant was told, by the same act as `./kuji notices resolve ID phoned`.
"""

from dataclasses import dataclass
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.pages.notices import HEADERS, NoticePages
from services.notifier.repository import NoticeRepository, tokens_of
from services.notifier.rules.notice import UNDECIDED, Notice
from services.notifier.rules.states import TELEPHONE_LIST, NoticeState
from services.notifier.settle import settle_notice
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.ids import CampaignId, NoticeId, Receipt
from shared.paging import PageRequest
from shared.staff_roles import Right, may
from shared.web.forms import form_fields
from shared.web.paging import Paging
from shared.web.sign_in.staff import Staff

_ROWS: Final = 100
"""Calls on one page, at most."""

Answer = Literal["recorded", "kept", "changed", "choose"]
"""What became of the last form: recorded, nothing changed, the notice had changed, or no outcome was chosen."""

_SHOWN: Final = frozenset({"recorded", "kept", "changed"})


@dataclass(frozen=True)
class Call:
    """Applicant to telephone. `says_little`: nothing may be said of another application (ADR 54)."""

    notice: Notice
    receipt: Receipt | None

    @property
    def says_little(self) -> bool:
        return self.notice.kind == UNDECIDED


@dataclass(frozen=True)
class TelephonePages:
    """Telephone list of a campaign, beside the other pages of notices."""

    pages: NoticePages

    async def list_calls(
        self, campaign: Campaign, texts: Catalogue, staff: Staff, asked: PageRequest, answer: str | None
    ) -> Response:
        """Return a page of the list. `answer`: what became of the form before."""
        page = PageRequest(asked.after, min(asked.limit, _ROWS))
        found = await NoticeRepository(self.pages.store.db).list_notices(
            campaign.id, *sorted(TELEPHONE_LIST), page=page
        )
        listed, following = page.cut(found, lambda notice: notice.id)
        return self.pages.page(
            "notices_telephone.html",
            texts,
            f"/notices/{campaign.id}/telephone",
            staff,
            campaign=campaign,
            calls=await self._calls(listed),
            following=following,
            answer=answer if answer in _SHOWN else None,
            may_record=may(staff.roles, Right.SETTLE_NOTICES),
            vault=self.pages.access.vault_address,
        )

    async def ask(
        self, campaign: Campaign, texts: Catalogue, staff: Staff, notice: str, answer: Answer | None = None
    ) -> Response:
        """Return the page that asks for the outcome of a call; the list if the notice needs none any more."""
        found = await NoticeRepository(self.pages.store.db).find(campaign.id, NoticeId(notice))
        if found is None or found.state not in TELEPHONE_LIST:
            return self._to_list(campaign, texts, "changed")
        (call,) = await self._calls([found])
        path = f"/notices/{campaign.id}/telephone/{found.id}"
        return self.pages.page(
            "notices_call.html",
            texts,
            path,
            staff,
            campaign=campaign,
            call=call,
            answer=answer,
            vault=self.pages.access.vault_address,
        )

    async def record(
        self, campaign: Campaign, texts: Catalogue, staff: Staff, notice: str, outcome: str | None
    ) -> Response:
        """Record that the applicant was told; a call that reached nobody changes nothing."""
        if outcome == "not-reached":
            return self._to_list(campaign, texts, "kept")
        if outcome != "told":
            return await self.ask(campaign, texts, staff, notice, "choose")
        store, name = self.pages.store, NoticeId(notice)
        found = await NoticeRepository(store.db).find(campaign.id, name)
        is_listed = found is not None and found.state in TELEPHONE_LIST
        is_told = is_listed and await settle_notice(store, campaign.id, name, NoticeState.PHONED, staff.actor)
        return self._to_list(campaign, texts, "recorded" if is_told else "changed")

    async def _calls(self, notices: list[Notice]) -> list[Call]:
        receipts = await ApplicantRepository(self.pages.store.db).load_receipts(tokens_of(notices))
        return [Call(notice, receipts.get(notice.token)) for notice in notices]

    def _to_list(self, campaign: Campaign, texts: Catalogue, answer: Answer) -> Response:
        return RedirectResponse(f"{texts.prefix}/notices/{campaign.id}/telephone?answer={answer}", 303, HEADERS)


def telephone_router(pages: NoticePages) -> APIRouter:
    """Route the telephone list in each language."""
    router = APIRouter(include_in_schema=False)
    for texts in pages.renderer.catalogues:
        router.include_router(_of_language(TelephonePages(pages), texts), prefix=texts.prefix)
    return router


def _of_language(telephone: TelephonePages, texts: Catalogue) -> APIRouter:
    router, pages = APIRouter(prefix="/notices/{campaign}/telephone"), telephone.pages

    @router.get("", response_model=None)
    async def calls(request: Request, campaign: str, page: Paging, answer: str | None = None) -> Response:
        staff, known = await pages.staff(request), pages.campaigns.get(CampaignId(campaign))
        if staff is None:
            return pages.access.to_sign_in(request)
        return (
            pages.missing(texts, staff)
            if known is None
            else await telephone.list_calls(known, texts, staff, page, answer)
        )

    @router.get("/{notice}", response_model=None)
    async def call(request: Request, campaign: str, notice: str) -> Response:
        staff = await pages.access.staff(request, Right.SETTLE_NOTICES)
        known = pages.campaigns.get(CampaignId(campaign))
        if staff is None:
            return pages.access.to_sign_in(request)
        return pages.missing(texts, staff) if known is None else await telephone.ask(known, texts, staff, notice)

    @router.post("/{notice}", response_model=None)
    async def record(request: Request, campaign: str, notice: str) -> Response:
        staff = (await pages.access.admit(request)).require(Right.SETTLE_NOTICES)
        known, fields = pages.campaigns.get(CampaignId(campaign)), await form_fields(request)
        if known is None:
            return pages.missing(texts, staff)
        return await telephone.record(known, texts, staff, notice, fields.get("outcome"))

    return router
