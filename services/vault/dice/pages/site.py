"""The page of the ceremony in one language. It works without a program; with one it keeps itself up to date."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from services.vault.dice.ceremony_service import CeremonyService, UnknownDrawError, Witness
from services.vault.dice.rules.ceremony import Ceremony, CeremonyState, DiceRefusedError, witness_role
from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.dice_acts import DIGITS, MARGIN
from shared.ids import CampaignId
from shared.staff_roles import Right, may
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]

_SEPARATORS: Final = re.compile(r"[\s,、.-]")
_PROGRAM: Final = ("dice.say.", "live.", "call.")
"""Prefixes of the texts that the program shows."""


@dataclass(frozen=True)
class Entry:
    """A witness's input. `digits`: as they were typed; `wrong`: code of the mistake; `confirm`: shown once more."""

    digits: str = ""
    wrong: str | None = None
    confirm: bool = False


@dataclass(frozen=True)
class DicePages:
    """Parts behind the page."""

    web: Web
    service: CeremonyService
    campaigns: Mapping[CampaignId, Campaign]
    clock: Clock

    async def listed(self, texts: Catalogue, present: Present) -> Response:
        """Redirect to the ceremony of the only campaign, or return the list of campaigns."""
        if len(self.campaigns) == 1:
            (only,) = self.campaigns
            return self.web.to(f"{texts.prefix}/desk/dice/{only}")
        campaigns = tuple(self.campaigns.values())
        return self.web.page("dice_campaigns.html", texts, "/desk/dice", present=present, campaigns=campaigns)

    async def shown(self, campaign: str, texts: Catalogue, present: Present, entry: Entry | None = None) -> Response:
        """Return the page of the last ceremony of a campaign; the list where the campaign is unknown."""
        known = self.campaigns.get(CampaignId(campaign))
        if known is None:
            return self.web.to(f"{texts.prefix}/desk/dice")
        found, now = await self.service.list(known.id), self.clock.now()
        ceremony = found[-1] if found else None
        entry = entry or Entry()
        return self.web.page(
            "dice.html",
            texts,
            f"/desk/dice/{known.id}",
            status=409 if entry.wrong else 200,
            present=present,
            campaign=known,
            ceremony=ceremony,
            state=None if ceremony is None else ceremony.state(now),
            own=ceremony is not None and ceremony.has_entered(present.account.id),
            may_enter=_may_enter(ceremony, present, now),
            role=witness_role(present.account.roles),
            entry=entry,
            digits=DIGITS,
            margin=MARGIN.seconds,
            lottery=self.web.others["lottery"].text if "lottery" in self.web.others else "",
            groups=re.findall(".{1,5}", entry.digits),
            data=self._data(texts),
        )

    async def entered(self, campaign: str, texts: Catalogue, present: Present, sent: Mapping[str, str]) -> Response:
        """Take the form: show the digits once more, then enter them. Return the page, or the way back to it."""
        role, digits = witness_role(present.account.roles), normalise_digits(sent.get("digits", ""))
        if role is None or CampaignId(campaign) not in self.campaigns:
            return self.web.to(f"{texts.prefix}/desk/dice")
        wrong = find_mistake(digits)
        if wrong is not None or sent.get("step") != "confirm":
            correct = sent.get("step") == "correct"
            entry = Entry(digits, None if correct else wrong, confirm=wrong is None and not correct)
            return await self.shown(campaign, texts, present, entry)
        try:
            witness = Witness(present.account.id, role)
            await self.service.enter(CampaignId(campaign), sent.get("draw", ""), witness, digits)
        except UnknownDrawError:
            return await self.shown(campaign, texts, present, Entry(wrong="replaced"))
        except DiceRefusedError as refused:
            return await self.shown(campaign, texts, present, Entry(wrong=refused.reason))
        return self.web.to(f"{texts.prefix}/desk/dice/{campaign}")

    def _data(self, texts: Catalogue) -> Mapping[str, Any]:
        """Return the page's data block; services/vault/web/src/dice/dice.entry.ts has its type."""
        now = self.clock.now().isoformat()
        return {"lang": texts.lang, "now": now, "texts": texts.for_the_program(_PROGRAM), "digits": DIGITS}


def dice_pages_router(pages: DicePages, texts: Catalogue) -> APIRouter:
    """Route the pages of one language."""
    router, web = APIRouter(prefix="/desk/dice"), pages.web

    @router.get("", response_model=None)
    async def listed(request: Request) -> Response:
        return await web.shown_to(request, texts, lambda present: pages.listed(texts, present), Right.ENTER_DICE)

    @router.get("/{campaign}", response_model=None)
    async def shown(request: Request, campaign: str) -> Response:
        return await web.shown_to(
            request, texts, lambda present: pages.shown(campaign, texts, present), Right.ENTER_DICE
        )

    @router.post("/{campaign}", response_model=None)
    async def entered(request: Request, campaign: str, sent: Sent) -> Response:
        present = await web.require(request)
        if not may(present.account.roles, Right.ENTER_DICE):
            return web.page("no_right.html", texts, None, status=403, present=present)
        return await pages.entered(campaign, texts, present, sent)

    return router


def normalise_digits(typed: str) -> str:
    """Return typed digits in plain form, without separators. Other characters stay, so that they are noticed."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", typed))


def find_mistake(digits: str) -> str | None:
    """Return the code of the mistake in typed digits: `not-digits`, `few`, `many`; None if there is none."""
    if not re.fullmatch(r"[0-9]*", digits):
        return "not-digits"
    return None if len(digits) == DIGITS else "few" if len(digits) < DIGITS else "many"


def _may_enter(ceremony: Ceremony | None, present: Present, now: datetime) -> bool:
    return (
        ceremony is not None
        and ceremony.state(now) is CeremonyState.OPEN
        and not ceremony.has_entered(present.account.id)
        and witness_role(present.account.roles) is not None
    )
