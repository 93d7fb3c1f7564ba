"""Store the draw of each campaign: the present one, and the past ones that corrections replaced.

The present draw's document is also the gate for everything that must not happen at the same time: each transaction
that changes entries, places or scans writes to it. Therefore a freeze and a late verdict never both succeed.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, Final

from services.lottery.draw.collections import DRAWS, PAST_DRAWS
from services.lottery.draw.rules.draw import Closing, Draw
from services.lottery.draw.rules.given_source import GivenSource, RelayTrouble
from services.lottery.draw.rules.states import DRAW_STATES, NOT_WHILE_ERASING, REPLACEABLE, DrawState, WrongStateError
from services.lottery.record.manifest import draw_id
from shared.errors import PermanentError, TransientError
from shared.ids import CampaignId
from shared.storage import DuplicateKeyError, ReturnDocument, Store, UnitOfWork

_UNLESS_ERASING: Final[Mapping[str, Any]] = {"erasure": {"$exists": False}}


class ListFrozenError(PermanentError):
    """Raised when a verdict arrives after the list was frozen: the message is parked and changes nothing."""


class DrawRepository:
    """Reads and writes draws, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._draws, self._past = at.db[DRAWS], at.db[PAST_DRAWS]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def ensure(self, campaigns: Iterable[CampaignId]) -> None:
        """Create the first draw of each campaign that has none. Safe to repeat, also by several processes."""
        for campaign in campaigns:
            first = Draw(campaign, draw_id(campaign, 1), 1, DrawState.OPEN)
            with suppress(DuplicateKeyError):
                await self._draws.update_one({"_id": campaign}, {"$setOnInsert": first.to_document()}, upsert=True)

    async def get(self, campaign: CampaignId) -> Draw:
        """Return the present draw. Raises WrongStateError when the campaign has none."""
        draw = await self.find(campaign)
        if draw is None:
            raise WrongStateError("unknown")
        return draw

    async def find(self, campaign: CampaignId) -> Draw | None:
        """Return the present draw, or None when the campaign has none."""
        document = await self._draws.find_one({"_id": campaign}, session=self._session)
        return None if document is None else Draw.from_document(document)

    async def all(self, campaign: CampaignId) -> list[Draw]:
        """Return every draw of the campaign by number; the last one is the present draw."""
        past = await self._past.find({"campaign": campaign}, session=self._session).sort("number", 1).to_list(None)
        return [*map(Draw.from_document, past), await self.get(campaign)]

    async def numbered(self, campaign: CampaignId, number: int) -> Draw | None:
        """Return the draw with this number, or None."""
        return next((draw for draw in await self.all(campaign) if draw.number == number), None)

    async def change_entries(self, campaign: CampaignId) -> None:
        """Pass the gate before changing entries. Raises ListFrozenError after the list was closed."""
        present = {"_id": campaign, "state": DrawState.OPEN}
        if not await self._update(present, {"$inc": {"changes": 1}}):
            raise ListFrozenError(f"the list of campaign {campaign} is frozen")

    async def change_search(self, campaign: CampaignId) -> None:
        """Count that the vault searched a list: the schedule checks an open list again that waits for that."""
        await self._update({"_id": campaign, "state": DrawState.OPEN}, {"$inc": {"changes": 1}})

    async def change_roll(self, campaign: CampaignId) -> None:
        """Count a change of the roll of receipts. Raises TransientError while the list and the roll are written down.

        A roll that arrives later changes no manifest.
        """
        quiet = {"_id": campaign, "state": {"$ne": DrawState.FREEZING}}
        if not await self._update(quiet, {"$inc": {"changes": 1}}):
            raise TransientError(f"the list of campaign {campaign} is being written down; the roll is stored after it")

    async def close(self, draw: Draw, closing: Closing) -> Draw | None:
        """Close the list of an open draw and return the draw; None if anything changed since `draw` was read."""
        unchanged = {**_entering(draw, DrawState.FREEZING), "number": draw.number, "changes": draw.changes}
        values = {"state": DrawState.FREEZING, "closing": closing.to_document()}
        closed = await self._update(unchanged, {"$set": values})
        return replace(draw, state=DrawState.FREEZING, closing=closing) if closed else None

    async def fix_manifest(self, draw: Draw, manifest: str, signature: str, opening: Mapping[str, Any]) -> None:
        """Freeze the draw with its signed manifest and the first event. Raises WrongStateError."""
        values = {"manifest": manifest, "signature": signature, "history": [dict(opening)]}
        await self._advance(draw, DrawState.FROZEN, values)

    async def fix_result(self, draw: Draw, history: Iterable[Mapping[str, Any]]) -> None:
        """Move the draw on to its result, with the events up to it. Raises WrongStateError."""
        await self._advance(draw, DrawState.DRAWN, {"history": [dict(event) for event in history]})

    async def enter_source(self, draw: Draw, source: GivenSource, values: Mapping[str, Any]) -> Draw | None:
        """Store a source of randomness of this frozen draw and return the draw; None if it was entered before.

        The filter includes the draw id: a draw that replaced this one takes no randomness that was meant for it.
        """
        waiting = {**_same(draw), "state": DrawState.FROZEN, source.source: {"$exists": False}}
        change = {"$set": dict(values), "$push": {"given": source.to_document()}}
        after = ReturnDocument.AFTER
        document = await self._draws.find_one_and_update(waiting, change, return_document=after, session=self._session)
        return None if document is None else Draw.from_document(document)

    async def enter_acts(
        self, draw: Draw, acts: Sequence[Mapping[str, Any]], digits: str | None, given: GivenSource | None
    ) -> bool:
        """Replace the acts of this frozen draw, read in this transaction; return False if the beacon is known.

        `digits` and `given`: of all witnesses, None while one is missing.
        """
        unknown = {"dice": {"$exists": False}, "beacon_signature": {"$exists": False}}
        waiting = {**_same(draw), "state": DrawState.FROZEN, **unknown}
        values: dict[str, Any] = {"dice_acts": [dict(act) for act in acts]}
        change: dict[str, Any] = {"$set": values if digits is None else {**values, "dice": digits}}
        if given is not None:
            change["$push"] = {"given": given.to_document()}
        return await self._update(waiting, change)

    async def add_evidence(self, draw: Draw, hashes: Iterable[str]) -> bool:
        """Add hashes of photographs or recordings of the dice; return False for a draw that is not frozen."""
        frozen = {**_same(draw), "state": DrawState.FROZEN}
        return await self._update(frozen, {"$addToSet": {"dice_evidence": {"$each": list(hashes)}}})

    async def note_relay_troubles(self, draw: Draw, troubles: Iterable[RelayTrouble]) -> None:
        """Store why relays gave no value when they were last asked."""
        await self._update(_same(draw), {"$set": {"relay_troubles": [asdict(trouble) for trouble in troubles]}})

    async def count_parts(self, draw: Draw, published: int, parts: int) -> None:
        """Count `parts` more published parts of the results, after `published`. Raises WrongStateError.

        The filter includes the count: a process that was overtaken by another one publishes nothing twice.
        """
        values = {"parts_published": published + parts}
        await self._require(draw, _publishing(draw, published), {"$set": values})

    async def finish_publishing(self, draw: Draw, published: int) -> None:
        """Mark the results as published when all `published` parts are out. Raises WrongStateError."""
        await self._require(draw, _publishing(draw, published), {"$set": {"state": DrawState.PUBLISHED}})

    async def replace_draw(self, draw: Draw, following: Draw) -> None:
        """Replace the present draw by the following one and keep it as a past draw. Raises WrongStateError.

        A draw is given up unless the following one is a further round that continues it. The past draw is kept as it
        was last and not as it was read: dice may have been entered in between. An open draw is replaced
        where its round is known already.
        """
        if draw.state not in {*REPLACEABLE, DrawState.OPEN} or draw.is_erasing:
            raise WrongStateError(draw.state)
        unchanged = {**_same(draw), "state": draw.state, **_UNLESS_ERASING}
        last = await self._draws.find_one_and_replace(unchanged, dict(following.to_document()), session=self._session)
        if last is None:
            raise WrongStateError("being changed by another process")
        continues = following.further is not None and draw.id in following.further.rounds
        why = {"continued": True} if continues else {"given_up": following.previous and asdict(following.previous)}
        past = {**last, "_id": draw.id, "campaign": draw.campaign, **why}
        await self._past.insert_one(past, session=self._session)

    async def _advance(self, draw: Draw, to: DrawState, values: Mapping[str, Any]) -> None:
        await self._require(draw, _entering(draw, to), {"$set": {"state": to, **values}})

    async def _require(self, draw: Draw, filter_: Mapping[str, Any], change: Mapping[str, Any]) -> None:
        if not await self._update(filter_, change):
            present = await self.find(draw.campaign)
            raise WrongStateError(present.state if present else "unknown")

    async def _update(self, filter_: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
        result = await self._draws.update_one(filter_, change, session=self._session)
        return bool(result.modified_count)


def _same(draw: Draw) -> dict[str, Any]:
    """Return the filter for this very draw. Without its id, a slow process could change a later draw."""
    return {"_id": draw.campaign, "draw": draw.id}


def _entering(draw: Draw, to: DrawState) -> dict[str, Any]:
    unless_erasing = _UNLESS_ERASING if to in NOT_WHILE_ERASING else {}
    return {**_same(draw), "state": {"$in": DRAW_STATES.before(to)}, **unless_erasing}


def _publishing(draw: Draw, published: int) -> dict[str, Any]:
    counter: Any = {"$in": [None, 0]} if published == 0 else published
    return {**_same(draw), "state": DrawState.DRAWN, "parts_published": counter}
