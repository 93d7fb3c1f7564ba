"""Chance is given to a frozen draw: dice read out before witnesses, and the beacon's value."""

import asyncio
from typing import Any

from services.lottery import ledger
from services.lottery.manifest import Manifest
from services.lottery.randomness import check_beacon, check_dice
from services.lottery.states import DrawState
from services.lottery.steps import WrongState, draw_of
from shared.ids import CampaignId
from shared.storage import Store


class Chance:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def give_dice(self, campaign: CampaignId, digits: str, again: str, witnesses: list[str]) -> None:
        """Digits read out before witnesses. Raises BadRandomness, WrongState; a second giving is refused."""
        manifest = await self._frozen(campaign)
        if manifest.dice_digits is None:
            raise WrongState("without dice")
        check_dice(digits, again, witnesses, needed=manifest.dice_digits, witnesses_needed=manifest.witnesses)
        await self._give(campaign, "dice", {"dice": digits, "witnesses": witnesses})

    async def give_beacon(self, campaign: CampaignId, signature: str) -> None:
        """The beacon's value of the round that the manifest names. Raises BadRandomness, WrongState."""
        manifest = await self._frozen(campaign)
        if manifest.beacon is None:
            raise WrongState("without beacon")
        await asyncio.to_thread(check_beacon, signature, manifest.beacon)
        await self._give(campaign, "beacon_signature", {"beacon_signature": signature})

    async def _frozen(self, campaign: CampaignId) -> Manifest:
        draw = await draw_of(self._store, campaign)
        if draw["state"] != DrawState.FROZEN:
            raise WrongState(draw["state"])
        return Manifest.read(draw["manifest"])

    async def _give(self, campaign: CampaignId, source: str, values: dict[str, Any]) -> None:
        given = await self._store.db[ledger.DRAWS].update_one(
            {"_id": campaign, "state": DrawState.FROZEN, source: {"$exists": False}}, {"$set": values}
        )
        if given.modified_count == 0:
            raise WrongState(f"given its {source.removesuffix('_signature')} already")
