"""The one draw of a campaign. However many processes try, each step happens once.

Each step is one transaction guarded by the state it starts from. Between freeze and result everything is computed
from what is stored, so a step that died half-way is simply taken again, by anybody, with the same outcome.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw import repository as draws
from services.lottery.draw.list_store import read_list
from services.lottery.draw.rules.states import DrawState
from services.lottery.draw.transitions import WrongState, draw_of, step
from services.lottery.keys import LotteryKeys
from services.lottery.randomness.sources import Randomness, draw_key
from services.lottery.record.manifest import Manifest
from services.lottery.record.transcript import history_event, write_transcript
from shared.clock import Clock
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


def sources_missing(manifest: Manifest, draw: Mapping[str, Any]) -> bool:
    """Whether a source of chance that the manifest names has not been given yet."""
    without_dice = manifest.dice_digits is not None and draw.get("dice") is None
    without_beacon = manifest.beacon is not None and draw.get("beacon_signature") is None
    return without_dice or without_beacon


class Drawing:
    def __init__(self, store: Store, keys: LotteryKeys, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock

    async def draw_if_possible(self, campaign: CampaignId) -> bool:
        """Compute and store the result once all sources of the manifest are there; whether this call did it."""
        draw = await draw_of(self._store, campaign)
        if draw["state"] != DrawState.FROZEN or "erasure" in draw:
            return False
        manifest = Manifest.read(draw["manifest"])
        if sources_missing(manifest, draw):
            return False
        randomness = Randomness(draw.get("dice"), draw.get("beacon_signature"))
        frozen = await read_list(self._store, draw["draw"])
        transcript = await asyncio.to_thread(self._transcript, draw, manifest, randomness, frozen)

        async def work(uow: UnitOfWork) -> None:
            await step(uow, draw, DrawState.DRAWN, {"history": transcript["history"]})
            await draws.put_text(uow, f"{draw['draw']}:transcript", json.dumps(transcript, ensure_ascii=False))

        try:
            await self._store.transact(work)
        except WrongState:
            return False
        _log.info("drawn", campaign=campaign, draw=draw["draw"])
        return True

    def _transcript(
        self, draw: dict[str, Any], manifest: Manifest, randomness: Randomness, frozen: FrozenList
    ) -> dict[str, Any]:
        key = draw_key(manifest.line, randomness)
        # Chance came after the objections, by a clock that may be a little ahead of this one.
        at = max(self._clock.now(), manifest.objections_until)
        history = [*draw["history"], history_event("drawn", at, draw["history"][-1])]
        return write_transcript(
            manifest=manifest.line,
            signature=draw["signature"],
            frozen=frozen,
            randomness=randomness,
            witnesses=draw.get("witnesses", []),
            evidence=draw.get("dice_evidence", []),
            key=key,
            allocation=allocate(key, frozen, manifest.classes, manifest.rules),
            history=history,
            signing=self._keys.signing,
        )
