"""Pages of doubts in one language: the list, a pair side by side, and an address beside the postal table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from services.vault.applications.review import AlreadyDecidedError, NotHeldError, UnknownPairError
from services.vault.applications.rules.decision_reasons import OWN_REASONS, PAIR_REASONS, is_pair_reason
from services.vault.applications.rules.pairs import PairVerdict
from services.vault.doubts.desk import DoubtDesk, PairChoice
from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.ids import ApplicationId, CampaignId
from shared.staff_roles import Right, may
from shared.web.forms import form_fields
from shared.web.problems import ProblemError, problem

Sent = Annotated[dict[str, str], Depends(form_fields)]

PATH: Final = "/desk/doubts"
_RIGHTS: Final = (Right.OPEN_PEOPLE, Right.DECIDE_APPLICATIONS)
_CHOICES: Final[Mapping[str, tuple[PairVerdict, str | None]]] = {
    "first": (PairVerdict.SAME_PERSON, "first"),
    "second": (PairVerdict.SAME_PERSON, "second"),
    "two-people": (PairVerdict.TWO_PEOPLE, None),
    "household": (PairVerdict.HOUSEHOLD, None),
}
"""Choices of the form: one person with the application that stands, two people, or two of one household."""

_OWN: Final = tuple(f"{kind}:{reason}" for kind, reasons in OWN_REASONS.items() for reason in reasons)


@dataclass(frozen=True)
class DoubtPages:
    """Parts behind the pages."""

    web: Web
    desk: DoubtDesk
    campaigns: Mapping[CampaignId, Campaign]

    async def listed(self, texts: Catalogue, present: Present, wrong: str | None = None) -> Response:
        """Return the list of all campaigns."""
        lists = [await self.desk.listed(campaign) for campaign in self.campaigns.values()]
        status = 409 if wrong else 200
        return self.web.page("doubts.html", texts, PATH, status=status, present=present, lists=lists, wrong=wrong)

    async def pair(
        self, texts: Catalogue, present: Present, campaign: Campaign, ids: tuple[str, str], wrong: str | None = None
    ) -> Response:
        """Return a pair side by side; the page says so where it is no doubt any more."""
        one, other = map(ApplicationId, ids)
        opened = await self.desk.open_pair(present.account, campaign.id, one, other)
        if opened is None:
            return await self.listed(texts, present, "doubts.wrong.gone")
        return self.web.page(
            "doubt.html",
            texts,
            None,
            status=422 if wrong else 200,
            present=present,
            campaign=campaign,
            opened=opened,
            choices=tuple(_CHOICES),
            reasons=tuple(dict.fromkeys(reason for reasons in PAIR_REASONS.values() for reason in reasons)),
            may_undo=self.desk.may_undo(campaign),
            wrong=wrong,
        )

    async def address(
        self, texts: Catalogue, present: Present, campaign: Campaign, one: str, wrong: str | None = None
    ) -> Response:
        """Return an address beside the postal table."""
        opened = await self.desk.open_address(present.account, campaign.id, ApplicationId(one))
        if opened is None:
            return await self.listed(texts, present, "doubts.wrong.gone")
        status = 422 if wrong else 200
        return self.web.page(
            "doubt_address.html", texts, None, status=status, present=present, campaign=campaign, opened=opened,
            reasons=_OWN, wrong=wrong,
        )  # fmt: skip

    def campaign(self, name: str) -> Campaign:
        """Return the campaign. Raises ProblemError."""
        found = self.campaigns.get(CampaignId(name))
        if found is None:
            raise problem("unknown-campaign", 404, "募集がありません", "一覧から開き直してください。")
        return found

    async def handler(self, request: Request) -> Present:
        """Return the handler for a change. Raises ProblemError: 401, or 403 without the right."""
        present = await self.web.require(request)
        if not all(may(present.account.roles, right) for right in _RIGHTS):
            raise _no_right()
        return present


def doubts_router(pages: DoubtPages, texts: Catalogue) -> APIRouter:
    """Route the list and the pairs."""
    router, web = APIRouter(prefix=PATH), pages.web
    home = f"{texts.prefix}{PATH}"

    @router.get("", response_model=None)
    async def listed(request: Request) -> Response:
        return await web.shown_to(request, texts, lambda present: pages.listed(texts, present), *_RIGHTS)

    @router.get("/{campaign}/{one}/{other}", response_model=None)
    async def pair(request: Request, campaign: str, one: str, other: str) -> Response:
        found = pages.campaign(campaign)
        return await web.shown_to(
            request, texts, lambda present: pages.pair(texts, present, found, (one, other)), *_RIGHTS
        )

    @router.post("/{campaign}/{one}/{other}", response_model=None)
    async def decide(request: Request, campaign: str, one: str, other: str, sent: Sent) -> Response:
        present, found = await pages.handler(request), pages.campaign(campaign)
        choice = _choice(sent)
        if choice is None:
            return await pages.pair(texts, present, found, (one, other), "doubts.wrong.choice")
        try:
            await pages.desk.decide(present.account, found.id, (ApplicationId(one), ApplicationId(other)), choice)
        except (UnknownPairError, AlreadyDecidedError):
            return await pages.listed(texts, present, "doubts.wrong.gone")
        return web.to(home)

    @router.post("/{campaign}/{one}/{other}/undo", response_model=None)
    async def undo(request: Request, campaign: str, one: str, other: str) -> Response:
        present, found = await pages.handler(request), pages.campaign(campaign)
        try:
            is_undone = await pages.desk.undo(present.account, found, (ApplicationId(one), ApplicationId(other)))
        except (UnknownPairError, AlreadyDecidedError):
            return await pages.listed(texts, present, "doubts.wrong.gone")
        return web.to(home) if is_undone else await pages.listed(texts, present, "doubts.wrong.frozen")

    return router


def addresses_router(pages: DoubtPages, texts: Catalogue) -> APIRouter:
    """Route the page of one doubtful address."""
    router, web = APIRouter(prefix=PATH), pages.web

    @router.get("/{campaign}/{one}", response_model=None)
    async def address(request: Request, campaign: str, one: str) -> Response:
        found = pages.campaign(campaign)
        return await web.shown_to(request, texts, lambda present: pages.address(texts, present, found, one), *_RIGHTS)

    @router.post("/{campaign}/{one}", response_model=None)
    async def decide_address(request: Request, campaign: str, one: str, sent: Sent) -> Response:
        present, found = await pages.handler(request), pages.campaign(campaign)
        if sent.get("decision") not in _OWN:
            return await pages.address(texts, present, found, one, "doubts.wrong.choice")
        try:
            await pages.desk.decide_address(present.account, found.id, ApplicationId(one), sent["decision"])
        except NotHeldError:
            return await pages.listed(texts, present, "doubts.wrong.gone")
        return web.to(f"{texts.prefix}{PATH}")

    return router


def _choice(sent: Mapping[str, str]) -> PairChoice | None:
    """Return the choice of the form; None where none was made, or its reason is not one of that choice."""
    chosen, reason = _CHOICES.get(sent.get("choice", "")), sent.get("reason", "")
    if chosen is None or not is_pair_reason(chosen[0], reason):
        return None
    return PairChoice(*chosen, reason, _moment(sent.get("opened_at", "")))


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _no_right() -> ProblemError:
    return problem(
        "forbidden",
        403,
        "この操作の権限がありません",
        "担当の役割を責任者に確かめてください。",
        en="The role of this account may not decide doubts.",
    )
