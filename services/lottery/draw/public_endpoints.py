"""What everybody may read of a draw, as soon as it exists: nothing here names a person.

Every draw keeps its address, also one that was given up: `/draws/{number}/…`. Without a number, the present one.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse, Response, StreamingResponse

from services.lottery.draw import repository as ledger
from services.lottery.draw.list_store import read_leaves, read_rows
from services.lottery.draw.problems import known, not_published, unknown_receipt
from services.lottery.draw.redraw import all_draws, numbered_draw
from services.lottery.draw.transitions import draw_of
from services.lottery.keys import LotteryKeys
from services.lottery.record.inclusion import shown_proof
from shared.campaign import Campaign
from shared.ids import ApplicationId, CampaignId, DrawId, application_id_bytes
from shared.receipts import normalise_receipt
from shared.storage import Store

Number = Annotated[int, Path(ge=1)]
EntryHex = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class Published:
    def __init__(self, store: Store, keys: LotteryKeys, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._keys, self._campaigns = store, keys, campaigns

    async def draw(self, campaign: str, number: int | None = None) -> dict[str, Any]:
        """One with a manifest. Raises 404."""
        name = known(self._campaigns, campaign)
        found = await draw_of(self._store, name) if number is None else await numbered_draw(self._store, name, number)
        if found is None or "manifest" not in found:
            raise not_published()
        return found

    async def draws(self, campaign: str) -> dict[str, Any]:
        found = await all_draws(self._store, known(self._campaigns, campaign))
        return {"v": 1, "campaign": campaign, "draws": [_line(each) for each in found]}

    async def manifest(self, campaign: str, number: int | None = None) -> JSONResponse:
        draw = await self.draw(campaign, number)
        key = self._keys.signing.public
        return JSONResponse({"v": 1, "manifest": draw["manifest"], "signature": draw["signature"], "signing_key": key})

    async def rows(self, campaign: str, number: int | None = None) -> StreamingResponse:
        draw = await self.draw(campaign, number)
        return StreamingResponse(read_rows(self._store, draw["draw"]), media_type="text/plain")

    async def transcript(self, campaign: str, number: int | None = None) -> Response:
        draw = await self.draw(campaign, number)
        try:
            text = await ledger.get_text(self._store, f"{draw['draw']}:transcript")
        except KeyError:
            raise not_published() from None
        return Response(text, media_type="application/json")

    async def proof_of_receipt(self, campaign: str, receipt: str) -> dict[str, Any]:
        draw = await self.draw(campaign)
        try:
            wanted = {"campaign": campaign, "receipt": normalise_receipt(receipt)}
        except ValueError:
            raise unknown_receipt() from None
        entry = await self._store.db[ledger.ENTRIES].find_one(wanted, {"_id": 1})
        if entry is None:
            raise unknown_receipt()
        return await self._proof(draw["draw"], application_id_bytes(ApplicationId(entry["_id"])))

    async def proof_of_entry(self, campaign: str, entry: str) -> dict[str, Any]:
        return await self._proof((await self.draw(campaign))["draw"], bytes.fromhex(entry))

    async def _proof(self, draw: DrawId, entry: bytes) -> dict[str, Any]:
        try:
            leaves, size = await read_leaves(self._store, draw, entry)
        except KeyError:
            leaves, size = [], 0  # nobody is on the list
        return shown_proof(draw, entry, size, leaves)

    async def stamps(self, campaign: str, number: int | None = None) -> dict[str, Any]:
        draw = await self.draw(campaign, number)
        found = await self._store.db[ledger.STAMPS].find({"draw": draw["draw"]}).sort("number", 1).to_list(None)
        shown = [{name: each[name] for name in ("number", "kind", "at")} for each in found]
        return {"v": 1, "draw": draw["draw"], "stamps": shown}

    async def stamp(self, campaign: str, stamp: Number, number: int | None = None) -> Response:
        """Byte for byte as it was attached."""
        draw = await self.draw(campaign, number)
        found = await self._store.db[ledger.STAMPS].find_one({"_id": f"{draw['draw']}:{stamp}"})
        if found is None:
            raise not_published()
        return Response(bytes(found["content"]), media_type="application/octet-stream")


def public_router(published: Published) -> APIRouter:
    router = APIRouter(prefix="/v1/campaigns/{campaign}", tags=["public"])
    for path, answer in (
        ("/draws", published.draws),
        ("/receipts/{receipt}/proof", published.proof_of_receipt),
    ):
        router.add_api_route(path, answer, methods=["GET"], response_model=None)
    for name in ("manifest", "rows", "transcript", "stamps"):
        _both(router, name, getattr(published, name))

    @router.get("/stamps/{stamp}")
    async def stamp(campaign: str, stamp: Number) -> Response:
        return await published.stamp(campaign, stamp)

    @router.get("/draws/{number}/stamps/{stamp}")
    async def numbered_stamp(campaign: str, number: Number, stamp: Number) -> Response:
        return await published.stamp(campaign, stamp, number)

    @router.get("/entries/{entry}/proof")
    async def proof_of_entry(campaign: str, entry: EntryHex) -> dict[str, Any]:
        return await published.proof_of_entry(campaign, entry)

    return router


def _both(router: APIRouter, name: str, answer: Any) -> None:
    """Of the present draw, and of any by its number."""

    @router.get(f"/{name}", response_model=None)
    async def present(campaign: str) -> Any:
        return await answer(campaign)

    @router.get(f"/draws/{{number}}/{name}", response_model=None)
    async def numbered(campaign: str, number: Number) -> Any:
        return await answer(campaign, number)


def _line(draw: Mapping[str, Any]) -> dict[str, Any]:
    given_up = draw.get("given_up")
    return {
        "number": draw["number"],
        "draw": draw["draw"],
        "state": draw["state"],
        "has_manifest": "manifest" in draw,
        "given_up": given_up and {"reason": given_up["reason"]},
    }
