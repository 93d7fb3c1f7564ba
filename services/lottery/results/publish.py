"""Saying the results: in parts, each exactly once, however often a process dies on the way.

A part's outcomes and its event are one transaction that also moves the draw's counter of parts said; the event id
derives from draw and part, so even a repetition would be recognised.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import BLOCK
from services.lottery.draw import repository as draws
from services.lottery.draw.list_store import read_list
from services.lottery.draw.rules.states import DrawState
from services.lottery.draw.transitions import WrongState, draw_of
from services.lottery.keys import LotteryKeys
from services.lottery.places.repository import open_places
from services.lottery.randomness.sources import Randomness, draw_key
from services.lottery.record.manifest import Manifest, draw_id
from services.lottery.record.passes import pass_of, write_pass
from services.lottery.results.rules.outcomes import Outcomes
from shared.campaign import Campaign
from shared.contracts import BATCH_LIMIT, Result, ResultsPublished
from shared.errors import KujiError
from shared.ids import CampaignId, DrawId, application_id_bytes, derived_event_id
from shared.logging import get_logger
from shared.storage import ReplaceOne, Store, UnitOfWork

_log = get_logger(__name__)

PARTS_AT_ONCE = 20


class ListDiffers(KujiError):  # noqa: N818  (says what is the case)
    """Nothing is said then, for it would be said to the wrong people: restore the entries from a backup, or redraw."""


class Publishing:
    def __init__(self, store: Store, keys: LotteryKeys, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._keys, self._campaigns = store, keys, campaigns

    async def publish_if_drawn(self, campaign: CampaignId) -> bool:
        """Say what has not been said yet; whether this call finished it."""
        draw = await draw_of(self._store, campaign)
        if draw["state"] != DrawState.DRAWN:
            return False
        frozen = await read_list(self._store, draw["draw"])
        outcomes = await asyncio.to_thread(self._outcomes, campaign, draw, frozen)
        parts = -(-len(frozen) // BATCH_LIMIT)
        try:
            for first in range(int(draw.get("parts_said", 0)), parts, PARTS_AT_ONCE):
                start = first * BATCH_LIMIT
                documents = await self._documents(campaign, frozen, start)
                told = await asyncio.to_thread(outcomes.results, start, documents)
                await self._say(campaign, draw["draw"], told, first, parts)
            await self._finish(campaign, draw["draw"], parts)
        except WrongState:
            return False
        _log.info("results-published", campaign=campaign, parts=parts, count=len(frozen))
        return True

    def _outcomes(self, campaign: CampaignId, draw: dict[str, Any], frozen: FrozenList) -> Outcomes:
        manifest, rule, name = Manifest.read(draw["manifest"]), self._campaigns[campaign], draw["draw"]
        key = draw_key(manifest.line, Randomness(draw.get("dice"), draw.get("beacon_signature")))
        return Outcomes(
            allocate(key, frozen, manifest.classes, manifest.rules),
            lambda application_id: self._keys.pass_code(campaign, name, application_id),
            lambda *won: write_pass(self._keys.signing, campaign, pass_of(rule, *won)),
        )

    async def _documents(self, campaign: CampaignId, frozen: FrozenList, start: int) -> list[dict[str, Any]]:
        """The ledger's entries of the next parts; they stand there in the order of the list. Raises ListDiffers."""
        wanted = {"campaign": campaign, "state": "accepted", "_id": {"$gte": str(UUID(bytes=frozen.id(start)))}}
        found = self._store.db[draws.ENTRIES].find(wanted).sort("_id", 1).limit(PARTS_AT_ONCE * BATCH_LIMIT)
        documents: list[dict[str, Any]] = await found.to_list(None)
        ids = b"".join(application_id_bytes(each["_id"]) for each in documents)
        if ids != frozen.ids[start * BLOCK : (start + PARTS_AT_ONCE * BATCH_LIMIT) * BLOCK]:
            raise ListDiffers(f"entries of campaign {campaign} are not those of its frozen list any more")
        return documents

    async def _say(self, campaign: CampaignId, draw: DrawId, told: Sequence[Result], first: int, parts: int) -> None:
        """Parts `first` (from 0) and those after it, as far as `told` goes."""
        pieces = [tuple(told[at : at + BATCH_LIMIT]) for at in range(0, len(told), BATCH_LIMIT)]

        async def work(uow: UnitOfWork) -> None:
            await _move(uow, campaign, draw, {"parts_said": first + len(pieces)}, said=first)
            await _keep(uow, [_kept(campaign, draw, item) for item in told], first_draw=draw == draw_id(campaign, 1))
            await open_places(uow, campaign, draw, told)
            for number, items in enumerate(pieces, first + 1):
                event = ResultsPublished(campaign=campaign, draw=draw, part=number, parts=parts, items=items)
                await uow.emit(event, derived_event_id(event.name, draw, str(number)))

        await self._store.transact(work)

    async def _finish(self, campaign: CampaignId, draw: DrawId, parts: int) -> None:
        async def work(uow: UnitOfWork) -> None:
            await _move(uow, campaign, draw, {"state": DrawState.PUBLISHED}, said=parts)

        await self._store.transact(work)


async def _move(uow: UnitOfWork, campaign: CampaignId, draw: DrawId, values: dict[str, Any], *, said: int) -> None:
    """Only from the place where this process believes the draw to be. Raises WrongState where another was faster."""
    counter: Any = {"$in": [None, 0]} if said == 0 else said
    same = {"_id": campaign, "draw": draw, "state": DrawState.DRAWN, "parts_said": counter}
    moved = await uow.db[draws.DRAWS].update_one(same, {"$set": values}, session=uow.session)
    if moved.modified_count == 0:
        raise WrongState("being published by another process")


async def _keep(uow: UnitOfWork, outcomes: Sequence[dict[str, Any]], *, first_draw: bool) -> None:
    """A draw that corrects another takes the place of its outcomes."""
    if first_draw:
        await uow.db[draws.OUTCOMES].insert_many(outcomes, session=uow.session)
        return
    writes = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in outcomes]
    await uow.db[draws.OUTCOMES].bulk_write(writes, session=uow.session)


def _kept(campaign: CampaignId, draw: DrawId, item: Result) -> dict[str, Any]:
    outcomes = [outcome.model_dump(exclude_none=True) for outcome in item.outcomes]
    return {
        "_id": item.application_id,
        "campaign": campaign,
        "draw": draw,
        "receipt": item.receipt,
        "token": item.token,
        "outcomes": outcomes,
    }
