"""The schedule: freezes at the draw time, asks for the beacon, draws when chance is there, finishes what was begun.

One instance at a time looks after a campaign, by a lease in the database; when it dies, another takes over.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from services.lottery.draw import repository as draws
from services.lottery.draw.clock_check import ClocksDiffer
from services.lottery.draw.freeze import Freezing
from services.lottery.draw.randomness_entry import Chance
from services.lottery.draw.relays import Relays
from services.lottery.draw.rules.states import DrawState
from services.lottery.draw.run import Drawing, sources_missing
from services.lottery.draw.transitions import NotYet, ObjectionsOpen, TooEarly, WrongState, draw_of
from services.lottery.randomness.rounds import RoundPassed
from services.lottery.randomness.sources import BadRandomness
from services.lottery.record.manifest import Manifest
from services.lottery.results.publish import Publishing
from shared.campaign import Campaign, quicknet
from shared.clock import Clock
from shared.logging import get_logger
from shared.storage import Store
from shared.storage.leases import Leases

LEASE_S: Final = 6.0
_ASK_AGAIN: Final = timedelta(seconds=10)
_BY_SCHEDULE: Final = "schedule"

_log = get_logger(__name__)


class Schedule:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        freezing: Freezing,
        chance: Chance,
        relays: Relays,
        drawing: Drawing,
        publishing: Publishing,
    ) -> None:
        self._store, self._clock, self._leases = store, clock, Leases(store.db)
        self._freezing, self._chance, self._relays = freezing, chance, relays
        self._drawing, self._publishing = drawing, publishing
        self._name = secrets.token_hex(8)
        self._asked: dict[str, datetime] = {}
        self._incomplete: dict[str, int] = {}

    async def advance(self, campaign: Campaign) -> None:
        """Take whatever step is due, unless another instance looks after this campaign.

        Who sees nothing to do takes no lease: one whose clock is behind must not keep the others waiting.
        """
        draw = await draw_of(self._store, campaign.id)
        if self._is_due(campaign, draw) and await self._leases.hold(_lease(campaign), self._name, LEASE_S):
            await self._take_step(campaign, draw)

    def _is_due(self, campaign: Campaign, draw: Mapping[str, Any]) -> bool:
        """By what stands in the draw and by this clock. A list found incomplete is judged again when it has changed."""
        match draw["state"]:
            case DrawState.OPEN:
                judged = self._incomplete.get(draw["draw"]) == draw["changes"]
                return draw["number"] == 1 and self._clock.now() >= campaign.draw.at and not judged
            case DrawState.FROZEN:
                manifest = Manifest.read(draw["manifest"])
                return not sources_missing(manifest, draw) or self._beacon_is_due(campaign, manifest, draw)
            case state:
                return state in {DrawState.FREEZING, DrawState.DRAWN}

    async def _take_step(self, campaign: Campaign, draw: dict[str, Any]) -> None:
        match draw["state"]:
            case DrawState.OPEN:
                await self._freeze(campaign, draw)
            case DrawState.FREEZING:
                await self._freezing.finish(campaign.id)
            case DrawState.FROZEN:
                await self._ask_for_the_beacon(campaign, draw)
                await self._drawing.draw_if_possible(campaign.id)
            case DrawState.DRAWN:
                await self._publishing.publish_if_drawn(campaign.id)

    async def _freeze(self, campaign: Campaign, draw: Mapping[str, Any]) -> None:
        try:
            await self._freezing.freeze(campaign.id)
        except NotYet:
            self._incomplete[draw["draw"]] = draw["changes"]
        except (ClocksDiffer, RoundPassed, TooEarly, WrongState):
            # What it waits for is shown (`waiting.waits`); another instance, with a better clock, may try.
            await self._leases.give_up(_lease(campaign), self._name)

    async def _ask_for_the_beacon(self, campaign: Campaign, draw: dict[str, Any]) -> None:
        """Once its round is out, every now and then until a relay has it."""
        manifest = Manifest.read(draw["manifest"])
        if manifest.beacon is None or not self._beacon_is_due(campaign, manifest, draw):
            return
        self._asked[draw["draw"]] = self._clock.now()
        asked = await self._relays.ask(campaign.draw.relays, manifest.beacon)
        troubles = {"relay_troubles": [{"relay": host, "trouble": each} for host, each in asked.troubles.items()]}
        await self._store.db[draws.DRAWS].update_one({"_id": campaign.id, "draw": draw["draw"]}, {"$set": troubles})
        if asked.signature is None:
            _log.warning("beacon-missing", campaign=campaign.id, draw=draw["draw"], count=len(asked.troubles))
            return
        try:
            await self._chance.give_beacon(campaign.id, asked.signature, _BY_SCHEDULE)
        except (BadRandomness, ClocksDiffer, ObjectionsOpen, WrongState):
            return  # somebody pasted it meanwhile, or it is asked for again

    def _beacon_is_due(self, campaign: Campaign, manifest: Manifest, draw: Mapping[str, Any]) -> bool:
        if not campaign.draw.relays or manifest.beacon is None or "beacon_signature" in draw:
            return False
        now = self._clock.now()
        return now >= quicknet.time_of(manifest.beacon.round) and not self._asked_lately(draw["draw"], now)

    def _asked_lately(self, draw: str, now: datetime) -> bool:
        """A clock that was ahead and is set right has not: what it asked "later" was long ago."""
        asked = self._asked.get(draw)
        return asked is not None and timedelta() <= now - asked < _ASK_AGAIN


def _lease(campaign: Campaign) -> str:
    return f"draw:{campaign.id}"
