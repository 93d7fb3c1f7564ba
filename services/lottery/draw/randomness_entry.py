"""Chance is given to a frozen draw: dice read out before witnesses, and the beacon's value.

Once each, and not before the time for objections is over. There is no fallback, because a fallback is a choice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.lottery.draw import repository as draws
from services.lottery.draw.clock_check import agreed_clocks
from services.lottery.draw.rules.states import DrawState
from services.lottery.draw.transitions import ObjectionsOpen, WrongState, draw_of
from services.lottery.randomness.sources import check_beacon, check_dice
from services.lottery.record.manifest import Manifest
from shared.clock import Clock
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import Store

_log = get_logger(__name__)


@dataclass(frozen=True)
class Dice:
    """Digits as they were typed twice, who witnessed them, and `sha256:…` of photographs or recordings."""

    digits: str
    again: str
    witnesses: Sequence[str]
    evidence: Sequence[str] = ()


class Chance:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def give_dice(self, campaign: CampaignId, dice: Dice, actor: str) -> None:
        """Digits read out before witnesses; once. Raises BadRandomness, ClocksDiffer, ObjectionsOpen, WrongState."""
        manifest = await self._ready(campaign)
        if manifest.dice_digits is None:
            raise WrongState("without dice")
        needed = {"needed": manifest.dice_digits, "witnesses_needed": manifest.witnesses}
        check_dice(dice.digits, dice.again, dice.witnesses, **needed)
        given = {"dice": dice.digits, "witnesses": list(dice.witnesses), "dice_evidence": list(dice.evidence)}
        await self._give(campaign, manifest, "dice", given, actor)

    async def give_beacon(self, campaign: CampaignId, signature: str, actor: str) -> None:
        """The beacon's value of the round that the manifest names. Raises as `give_dice` does."""
        manifest = await self._ready(campaign)
        if manifest.beacon is None:
            raise WrongState("without beacon")
        await asyncio.to_thread(check_beacon, signature, manifest.beacon)
        await self._give(campaign, manifest, "beacon_signature", {"beacon_signature": signature}, actor)

    async def _ready(self, campaign: CampaignId) -> Manifest:
        draw = await draw_of(self._store, campaign)
        if draw["state"] != DrawState.FROZEN:
            raise WrongState(draw["state"])
        manifest = Manifest.read(draw["manifest"])
        if self._clock.now() < manifest.objections_until:
            raise ObjectionsOpen(manifest.objections_until)
        if manifest.objections_until > manifest.frozen_at:
            await agreed_clocks(self._store)  # a clock that is ahead would cut objections short
        return manifest

    async def _give(
        self, campaign: CampaignId, manifest: Manifest, source: str, values: dict[str, Any], actor: str
    ) -> None:
        """To this very draw: one that was begun anew meanwhile takes nothing that was meant for the one before."""
        noted = {"source": source, "actor": actor, "at": self._clock.now().isoformat()}
        given = await self._store.db[draws.DRAWS].update_one(
            {"_id": campaign, "draw": manifest.draw, "state": DrawState.FROZEN, source: {"$exists": False}},
            {"$set": values, "$push": {"given": noted}},
        )
        if given.modified_count == 0:
            raise WrongState(f"given its {source.removesuffix('_signature')} already")
        _log.info("chance-given", campaign=campaign, draw=manifest.draw, code=source)
