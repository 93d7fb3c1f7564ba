"""Freezing: list, rules and sources of chance are fixed and signed before any chance exists.

First the gate closes, in one write that succeeds only if no entry has changed since the list was judged complete;
from then on a verdict that comes late is refused. Then the list is written down and signed. A process that dies in
between is followed by another, which comes to the same list.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from services.lottery.draw import readiness as judging
from services.lottery.draw import repository as draws
from services.lottery.draw.clock_check import agreed_clocks
from services.lottery.draw.list_store import write_list
from services.lottery.draw.rules.blockers import Readiness
from services.lottery.draw.rules.states import BEFORE, UNLESS_ERASED, DrawState
from services.lottery.draw.transitions import NotYet, TooEarly, WrongState, draw_of, step
from services.lottery.keys import LotteryKeys
from services.lottery.randomness.rounds import round_for
from services.lottery.record.manifest import Counted, Freeze, Override, Previous, write_manifest
from services.lottery.record.transcript import history_event
from shared.campaign import Campaign
from shared.clock import Clock
from shared.errors import TransientError
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

_TRIES: Final = 20


class Freezing:
    def __init__(self, store: Store, keys: LotteryKeys, clock: Clock, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._keys, self._clock, self._campaigns = store, keys, clock, campaigns

    async def freeze(self, campaign: CampaignId, override: Override | None = None) -> None:
        """Fix and sign the list. Raises TooEarly, ClocksDiffer, NotYet (unless overridden), RoundPassed, WrongState."""
        await self.close(campaign, override)
        await self.finish(campaign)

    async def close(self, campaign: CampaignId, override: Override | None = None) -> None:
        """Close the gate: from here on no entry changes. Raises as `freeze` does."""
        rule, now = self._campaigns[campaign], self._clock.now()
        if now < rule.window.paper_until:
            raise TooEarly("applications may still arrive")
        await agreed_clocks(self._store)
        for _ in range(_TRIES):
            draw = await draw_of(self._store, campaign)
            if draw["state"] != BEFORE[DrawState.FREEZING] or "erasure" in draw:
                raise WrongState("erasing" if "erasure" in draw else draw["state"])
            stated = _permitted(await judging.readiness(self._store, campaign), override)
            if await self._closed(draw, closing_of(rule, draw["number"], now, stated)):
                return
        raise TransientError("verdicts keep arriving while the list is judged; freeze it again in a moment")

    async def _closed(self, draw: dict[str, Any], closing: dict[str, Any]) -> bool:
        """Whether nothing had changed since `draw` was read."""
        same = {name: draw[name] for name in ("_id", "state", "number", "changes")} | UNLESS_ERASED
        change = {"$set": {"state": DrawState.FREEZING, "closing": closing}}
        done = await self._store.db[draws.DRAWS].update_one(same, change)
        return bool(done.modified_count)

    async def finish(self, campaign: CampaignId) -> bool:
        """Write down and sign the list of a draw whose gate is closed; whether this call did it."""
        draw = await draw_of(self._store, campaign)
        if draw["state"] != DrawState.FREEZING:
            return False
        frozen = await write_list(self._store, campaign, draw["draw"])
        counted = Counted(await self._counts(campaign, "accepted", "$channel"), await self._refused(campaign))
        freeze = _freeze_of(draw)
        manifest = await asyncio.to_thread(write_manifest, self._campaigns[campaign], frozen, counted, freeze)
        signed = {
            "manifest": manifest,
            "signature": self._keys.signing.sign(manifest.encode("utf-8")),
            "history": [history_event("frozen", freeze.at, None)],
        }

        async def work(uow: UnitOfWork) -> None:
            await step(uow, draw, DrawState.FROZEN, signed)

        try:
            await self._store.transact(work)
        except WrongState:
            return False
        _log.info("list-frozen", campaign=campaign, draw=draw["draw"], count=len(frozen))
        return True

    async def _refused(self, campaign: CampaignId) -> dict[str, int]:
        return await self._counts(campaign, "rejected", "$reasons", unwind=True)

    async def _counts(self, campaign: CampaignId, state: str, field: str, *, unwind: bool = False) -> dict[str, int]:
        pipeline: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign, "state": state}},
            *([{"$unwind": field}] if unwind else []),
            {"$group": {"_id": field, "count": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ]
        return {row["_id"]: row["count"] async for row in self._store.db[draws.ENTRIES].aggregate(pipeline)}


def closing_of(rule: Campaign, number: int, now: datetime, override: Override | None) -> dict[str, Any]:
    """What is fixed at the moment the gate closes. Raises RoundPassed."""
    beacon_round = round_for(rule, number, now)
    return {"at": now.isoformat(), "override": override and vars(override), "beacon_round": beacon_round}


def _freeze_of(draw: dict[str, Any]) -> Freeze:
    closing, previous = draw["closing"], draw.get("previous")
    return Freeze(
        at=datetime.fromisoformat(closing["at"]),
        override=closing["override"] and Override(**closing["override"]),
        number=draw["number"],
        beacon_round=closing["beacon_round"],
        previous=previous and Previous(**previous),
    )


def _permitted(readiness: Readiness, override: Override | None) -> Override | None:
    """The override as the manifest states it, with what was open. Raises NotYet where one is needed and missing."""
    if override is not None:
        return replace(override, held=readiness.held, undecided=readiness.undecided)
    if not readiness.complete:
        raise NotYet(readiness)
    return None
