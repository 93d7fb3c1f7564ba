"""Serve what the public may read of a draw, as soon as it exists; none of it names a person.

Every draw keeps its address, also after it was given up: `/draws/{number}/…`. Without a number: the present draw.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse, Response, StreamingResponse

from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.problems import known_campaign, not_published
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.stamp_repository import StampRepository
from services.lottery.draw.transcript_repository import TranscriptRepository
from services.lottery.keys import LotteryKeys
from services.lottery.record.inclusion import format_proof
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.storage import Store
from shared.web import LARGEST_INTEGER

Number = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]
EntryHex = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class PublicDraws:
    """Answers the public requests."""

    def __init__(self, store: Store, keys: LotteryKeys, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._keys, self._campaigns = keys, campaigns
        self._draws, self._lists = DrawRepository(store), ListRepository(store)
        self._stamps, self._transcripts = StampRepository(store), TranscriptRepository(store)

    async def draw(self, campaign: str, number: int | None = None) -> Draw:
        """Return a draw that has a manifest. Raises ProblemError (404)."""
        name = known_campaign(self._campaigns, campaign)
        draw = await self._draws.get(name) if number is None else await self._draws.numbered(name, number)
        if draw is None or not draw.has_manifest:
            raise not_published()
        return draw

    async def draws(self, campaign: str) -> dict[str, Any]:
        """Return number and state of every draw."""
        draws = await self._draws.all(known_campaign(self._campaigns, campaign))
        return {"v": 1, "campaign": campaign, "draws": [_summary(draw) for draw in draws]}

    async def manifest(self, campaign: str, number: int | None = None) -> JSONResponse:
        """Return the signed manifest and the public key that signed it."""
        draw = await self.draw(campaign, number)
        line, signature = draw.manifest_line or "", draw.signature or ""
        key = self._keys.signer_of(line.encode("utf-8"), signature)
        return JSONResponse({"v": 1, "manifest": line, "signature": signature, "signing_key": key})

    async def rows(self, campaign: str, number: int | None = None) -> StreamingResponse:
        """Return the rows of the frozen list."""
        draw = await self.draw(campaign, number)
        return StreamingResponse(self._lists.rows(draw.id), media_type="text/plain")

    async def transcript(self, campaign: str, number: int | None = None) -> Response:
        """Return the signed transcript. Raises ProblemError (404) before the draw."""
        draw = await self.draw(campaign, number)
        try:
            return Response(await self._transcripts.get(draw.id), media_type="application/json")
        except KeyError:
            raise not_published() from None

    async def roll(self, campaign: str, number: int | None = None) -> StreamingResponse:
        """Return the roll of receipts that the manifest commits to."""
        draw = await self.draw(campaign, number)
        return StreamingResponse(self._lists.roll(draw.id), media_type="text/plain")

    async def proof_of_entry(self, campaign: str, entry: str) -> dict[str, Any]:
        """Return the proof that an entry is on the list or not; `entry` is its id in hex."""
        draw, identity = await self.draw(campaign), bytes.fromhex(entry)
        try:
            leaves, size = await self._lists.leaves_around(draw.id, identity)
        except KeyError:
            leaves, size = [], 0  # the list is empty
        return dict(format_proof(draw.id, identity, size, leaves))

    async def stamps(self, campaign: str, number: int | None = None) -> dict[str, Any]:
        """Return number, kind and time of each time stamp."""
        draw = await self.draw(campaign, number)
        stamps = await self._stamps.all(draw.id)
        listed = [{"number": stamp.number, "kind": stamp.kind, "at": stamp.at.isoformat()} for stamp in stamps]
        return {"v": 1, "draw": draw.id, "stamps": listed}

    async def stamp(self, campaign: str, stamp: Number, number: int | None = None) -> Response:
        """Return a time stamp, byte for byte as it was attached. Raises ProblemError (404)."""
        draw = await self.draw(campaign, number)
        attached = await self._stamps.find(draw.id, stamp)
        if attached is None:
            raise not_published()
        return Response(attached.content, media_type="application/octet-stream")


def public_router(draws: PublicDraws) -> APIRouter:
    """Return the router of the public addresses below a campaign."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}", tags=["public"])
    router.add_api_route("/draws", draws.draws, methods=["GET"], response_model=None)
    for name in ("manifest", "rows", "roll", "transcript", "stamps"):
        _add_both(router, name, getattr(draws, name))

    @router.get("/stamps/{stamp}")
    async def stamp(campaign: str, stamp: Number) -> Response:
        return await draws.stamp(campaign, stamp)

    @router.get("/draws/{number}/stamps/{stamp}")
    async def numbered_stamp(campaign: str, number: Number, stamp: Number) -> Response:
        return await draws.stamp(campaign, stamp, number)

    @router.get("/entries/{entry}/proof")
    async def proof_of_entry(campaign: str, entry: EntryHex) -> dict[str, Any]:
        return await draws.proof_of_entry(campaign, entry)

    return router


def _add_both(router: APIRouter, name: str, answer: Any) -> None:
    """Add the addresses of the present draw and of any draw by its number."""

    @router.get(f"/{name}", response_model=None)
    async def present(campaign: str) -> Any:
        return await answer(campaign)

    @router.get(f"/draws/{{number}}/{name}", response_model=None)
    async def numbered(campaign: str, number: Number) -> Any:
        return await answer(campaign, number)


def _summary(draw: Draw) -> dict[str, Any]:
    return {
        "number": draw.number,
        "draw": draw.id,
        "state": draw.state,
        "has_manifest": draw.has_manifest,
        "given_up": draw.given_up and {"reason": draw.given_up.reason},
    }
