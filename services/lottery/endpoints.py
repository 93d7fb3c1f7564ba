"""What staff do with a draw over HTTP, and what everybody may read of it: manifest, rows, transcript."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.lottery import ledger
from services.lottery.chance import Chance
from services.lottery.freezing import Freezing
from services.lottery.keys import LotteryKeys
from services.lottery.list_store import read_list
from services.lottery.manifest import Override
from services.lottery.randomness import BadRandomness
from services.lottery.readiness import readiness
from services.lottery.steps import NotYet, TooEarly, WrongState, draw_of
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.storage import Store
from shared.web import problem
from shared.web.ops import Guard

Actor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Reason = Annotated[str, StringConstraints(min_length=3, max_length=200, strip_whitespace=True)]
Witness = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FreezeBody(_Body):
    """`override_reason` freezes an incomplete list; it needs a second person and stands in the public manifest."""

    actor: Actor
    override_reason: Reason | None = None
    approved_by: Actor | None = None


class DiceBody(_Body):
    digits: Annotated[str, Field(max_length=400)]
    digits_again: Annotated[str, Field(max_length=400)]
    witnesses: Annotated[list[Witness], Field(max_length=10)]
    actor: Actor


class BeaconBody(_Body):
    signature: Annotated[str, Field(max_length=200)]
    actor: Actor


def known(campaigns: Mapping[CampaignId, Campaign], campaign: str) -> CampaignId:
    if CampaignId(campaign) not in campaigns:
        raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
    return CampaignId(campaign)


def staff_router(
    campaigns: Mapping[CampaignId, Campaign], store: Store, freezing: Freezing, chance: Chance, guard: Guard
) -> APIRouter:
    router = APIRouter(prefix="/v1/campaigns/{campaign}", dependencies=[Depends(guard)], tags=["staff"])

    @router.get("/summary")
    async def summary(campaign: str) -> dict[str, Any]:
        name = known(campaigns, campaign)
        return {"state": (await draw_of(store, name))["state"], **await _counts(store, name)}

    @router.get("/draw")
    async def draw(campaign: str) -> dict[str, Any]:
        return await _shown(store, known(campaigns, campaign))

    @router.post("/freeze")
    async def freeze(campaign: str, body: FreezeBody) -> dict[str, Any]:
        name = known(campaigns, campaign)
        await _refusing(freezing.freeze(name, _override(body)))
        return await _shown(store, name)

    @router.post("/dice")
    async def dice(campaign: str, body: DiceBody) -> dict[str, Any]:
        name = known(campaigns, campaign)
        await _refusing(chance.give_dice(name, body.digits, body.digits_again, body.witnesses))
        return await _shown(store, name)

    @router.post("/beacon")
    async def beacon(campaign: str, body: BeaconBody) -> dict[str, Any]:
        name = known(campaigns, campaign)
        await _refusing(chance.give_beacon(name, body.signature))
        return await _shown(store, name)

    @router.get("/outcomes")
    async def outcomes(campaign: str) -> dict[str, Any]:
        """By application id, without tokens and pass codes."""
        found = store.db[ledger.OUTCOMES].find({"campaign": known(campaigns, campaign)}, {"outcomes": 1})
        return {"outcomes": {each["_id"]: each["outcomes"] for each in await found.to_list(None)}}

    return router


def public_router(campaigns: Mapping[CampaignId, Campaign], store: Store, keys: LotteryKeys) -> APIRouter:
    """Published as soon as it exists: nothing here names a person."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}", tags=["public"])

    @router.get("/manifest")
    async def manifest(campaign: str) -> JSONResponse:
        draw = await draw_of(store, known(campaigns, campaign))
        if "manifest" not in draw:
            raise _not_there()
        shown = {
            "v": 1,
            "manifest": draw["manifest"],
            "signature": draw["signature"],
            "signing_key": keys.signing.public,
        }
        return JSONResponse(shown)

    @router.get("/rows")
    async def rows(campaign: str) -> StreamingResponse:
        draw = await draw_of(store, known(campaigns, campaign))
        if "manifest" not in draw:
            raise _not_there()
        frozen = await read_list(store, draw["draw"])
        return StreamingResponse(frozen.texts(), media_type="text/plain")

    @router.get("/transcript")
    async def transcript(campaign: str) -> Response:
        text = await _text(store, known(campaigns, campaign), "transcript")
        return Response(text, media_type="application/json")

    return router


async def _text(store: Store, campaign: CampaignId, what: str) -> str:
    draw = await draw_of(store, campaign)
    try:
        return await ledger.get_text(store, f"{draw['draw']}:{what}")
    except KeyError:
        raise _not_there() from None


def _not_there() -> Exception:
    return problem(
        "not-yet", 404, "まだ公開されていません", "抽選の進み具合を確かめてください。", en="Not published yet."
    )


async def _shown(store: Store, campaign: CampaignId) -> dict[str, Any]:
    """The draw's state; while it is open, what the freeze waits for."""
    draw = await draw_of(store, campaign)
    shown: dict[str, Any] = {
        "state": draw["state"],
        "draw": draw["draw"],
        "parts_said": draw.get("parts_said", 0),
    }
    if draw["state"] == "open":
        shown["waiting_for"] = vars(await readiness(store, campaign))
    return shown


async def _counts(store: Store, campaign: CampaignId) -> dict[str, Any]:
    grouped = store.db[ledger.ENTRIES].aggregate(
        [{"$match": {"campaign": campaign}}, {"$group": {"_id": "$state", "count": {"$sum": 1}}}]
    )
    return {"entries": {row["_id"]: row["count"] async for row in grouped}}


def _override(body: FreezeBody) -> Override | None:
    if body.override_reason is None:
        return None
    if body.approved_by is None or body.approved_by == body.actor:
        raise problem(
            "second-person",
            422,
            "もう一人の承認が必要です",
            "承認者として別の担当者を指定してください。",
            en="An override needs a second, different person in `approved_by`.",
        )
    return Override(0, 0, body.override_reason, body.actor, body.approved_by)


async def _refusing(step: Any) -> None:
    """The refusals of a draw as problems that say what to do."""
    try:
        await step
    except NotYet as refusal:
        raise problem(
            "list-incomplete",
            409,
            "未決定の申込みがあります",
            "確認待ちの申込みを決定してから、もう一度実行してください。",
            en="Decide what is held (`./kuji held`), or override with a reason that will stand in the manifest.",
            waiting_for=vars(refusal.readiness),
        ) from None
    except TooEarly:
        raise problem("too-early", 409, "受付期間が終わっていません", "受付期間の終了後に実行してください。") from None
    except WrongState as refusal:
        raise problem(
            "wrong-state", 409, "この段階では実行できません", "抽選の状態を確かめてください。", state=refusal.state
        ) from None
    except BadRandomness as refusal:
        raise problem(
            "bad-randomness", 422, "乱数が使えません", "読み上げた数字と立会人を確かめてください。", en=str(refusal)
        ) from None
