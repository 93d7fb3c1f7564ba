"""Answer staff about the digits of witnesses over HTTP, and take a witness's own."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.vault.dice.ceremony_service import CeremonyService, UnknownDrawError, Witness
from services.vault.dice.rules.ceremony import Ceremony, DiceRefusedError, witness_role
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId
from shared.staff_roles import Right
from shared.web import problem
from shared.web.problems import ProblemError
from shared.web.sign_in.staff import Access, Staff

_REFUSALS: Mapping[str, tuple[str, str, str]] = {
    "early": (
        "まだ入力できません",
        "異議申立ての期間が終わってから入力してください。",
        "Wait until the time for objections is over.",
    ),
    "late": (
        "締切を過ぎました",
        "抽選の画面で「後の回で抽選する」の手続きをしてください。",
        "The last moment has passed; begin the draw with a later round (`./kuji draw later-round`).",
    ),
    "complete": ("立会人は全員入力しました", "抽選の画面で進み具合を確かめてください。", "All digits are there."),
    "entered-before": (
        "あなたの出目は受付済みです",
        "一つの抽選に入力できるのは一人一度です。ほかの立会人に代わってください。",
        "Each person enters digits once; another witness must enter the others.",
    ),
    "replaced": (
        "この抽選は取りやめになりました",
        "新しい抽選の画面を開いてください。",
        "A later draw has begun; open its ceremony.",
    ),
}


class DiceBody(BaseModel):
    """Body with the twenty digits of the signed-in witness."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    digits: Annotated[str, StringConstraints(pattern=r"^[0-9]{20}$")]


def dice_router(
    campaigns: Mapping[CampaignId, Campaign], service: CeremonyService, clock: Clock, access: Access
) -> APIRouter:
    """Return the router below a campaign. Reading needs READ_DRAWS, entering ENTER_DICE."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/dice", tags=["staff"])
    Here = Annotated[Staff, Depends(access.guard(Right.READ_DRAWS, Right.ENTER_DICE))]  # noqa: N806  (a type)

    @router.get("")
    async def listed(campaign: str, staff: Here) -> dict[str, Any]:
        found = await service.list(_known(campaigns, campaign))
        return {"ceremonies": [to_json(one, clock, staff.actor) for one in found]}

    @router.get("/{draw}")
    async def shown(campaign: str, draw: str, staff: Here) -> dict[str, Any]:
        try:
            return to_json(await service.find(_known(campaigns, campaign), draw), clock, staff.actor)
        except UnknownDrawError:
            raise unknown_draw() from None

    @router.post("/{draw}")
    async def enter(campaign: str, draw: str, body: DiceBody, staff: Here) -> dict[str, Any]:
        role = witness_role(staff.roles)
        if role is None:  # the guard asks for the right, which only these roles have
            raise unknown_draw()
        try:
            entered = await service.enter(_known(campaigns, campaign), draw, Witness(staff.actor, role), body.digits)
        except UnknownDrawError:
            raise unknown_draw() from None
        except DiceRefusedError as refused:
            raise refusal(refused) from None
        return to_json(entered, clock, staff.actor)

    return router


def to_json(ceremony: Ceremony, clock: Clock, staff_id: str) -> dict[str, Any]:
    """Return a ceremony without its digits and without staff ids. `own`: whether this person entered digits."""
    return {
        "draw": ceremony.draw,
        "number": ceremony.number,
        "state": ceremony.state(clock.now()),
        "manifest_sha256": ceremony.manifest_sha256,
        "opens": ceremony.opens.isoformat(),
        "latest": ceremony.rule.latest.isoformat(),
        "round_at": ceremony.round_at.isoformat(),
        "witnesses": ceremony.witnesses,
        "entered": [{"role": one.role, "at": one.at.isoformat()} for one in ceremony.entered],
        "own": ceremony.has_entered(staff_id),
    }


def refusal(refused: DiceRefusedError) -> ProblemError:
    """Return the problem (409) of digits that are not taken."""
    title, detail, english = _REFUSALS[refused.reason]
    return problem(f"dice-{refused.reason}", 409, title, detail, en=english)


def unknown_draw() -> ProblemError:
    """Return the problem of a draw that waits for no digits."""
    return problem(
        "unknown-draw",
        404,
        "出目を入力する抽選がありません",
        "抽選対象一覧が確定しているか、抽選の画面で確かめてください。",
        en="The lottery has asked for no digits of this draw; see whether its list is frozen.",
    )


def _known(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> CampaignId:
    if CampaignId(campaign) not in campaigns:
        raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
    return CampaignId(campaign)
