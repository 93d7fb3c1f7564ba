"""Compute the result of a frozen draw, once, however many processes try.

The result depends only on what is stored. Therefore a process that died before its transaction leaves nothing behind,
and any other process comes to the same result.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from services.lottery.allocation.allocator import Allocation, allocate
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.draw.transcript_repository import TranscriptRepository
from services.lottery.keys import LotteryKeys, RefusedRecords, RevokedKeyError
from services.lottery.record.taken_over import held_classes, read_places
from services.lottery.record.transcript import make_history_event, write_transcript
from shared.clock import Clock
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class DrawRunner:
    """Computes results and stores them with their signed transcripts."""

    def __init__(self, store: Store, keys: LotteryKeys, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock
        self._refused = RefusedRecords(keys)
        self._lists = ListRepository(store)

    async def run_if_possible(self, draw: Draw) -> bool:
        """Store the result if all sources of the manifest were entered. Return True if this call did so.

        From a list that a revoked key signed nothing is drawn: it is told once, and only drawing again helps.
        """
        if draw.state is not DrawState.FROZEN or draw.is_erasing or draw.lacks_randomness:
            return False
        if self._refused.has(draw.id):
            return False
        try:
            self._keys.check(draw.manifest.line.encode("utf-8"), draw.signature or "")
        except RevokedKeyError:
            self._refused.add("list-of-a-revoked-key", draw.campaign, draw.id)
            return False
        frozen = await self._lists.read(draw.id)
        places = await self._lists.places(draw.id) if draw.further else None
        transcript = await asyncio.to_thread(self._transcript, draw, frozen, places)
        if not await self._fix(draw, transcript):
            return False
        _log.info("drawn", campaign=draw.campaign, draw=draw.id)
        return True

    async def _fix(self, draw: Draw, transcript: Mapping[str, Any]) -> bool:
        text = json.dumps(transcript, ensure_ascii=False)

        async def fix_result(uow: UnitOfWork) -> None:
            await DrawRepository(uow).fix_result(draw, transcript["history"])
            await TranscriptRepository(uow).put(draw.id, text)

        try:
            await self._store.transact(fix_result)
        except WrongStateError:
            return False
        return True

    def _transcript(self, draw: Draw, frozen: FrozenList, places: str | None) -> Mapping[str, Any]:
        manifest, key, signing = draw.manifest, draw.key, self._keys.signing
        # The key may have been rotated since the freeze: both signatures of a transcript are by the key that it names.
        # Randomness was entered after the objections, by a clock that may be a little ahead of this one.
        at = max(self._clock.now(), manifest.objections_until)
        return write_transcript(
            manifest=manifest.line,
            signature=signing.sign(manifest.line.encode("utf-8")),
            frozen=frozen,
            randomness=draw.randomness,
            acts=draw.dice_acts,
            evidence=draw.dice_evidence,
            key=key,
            allocation=allocate_draw(draw, frozen, places),
            history=[*draw.history, make_history_event("drawn", at, draw.history[-1])],
            signing=signing,
            places=places,
        )


def allocate_draw(draw: Draw, frozen: FrozenList, places: str | None) -> Allocation:
    """Allocate the seats of a draw. `places`: text of the places that a further round took over, None for any other."""
    manifest = draw.manifest
    held = {} if places is None else held_classes(read_places(places))
    of_list = {entry: names for entry, names in held.items() if frozen.position(entry) is not None}
    return allocate(draw.key, frozen, manifest.drawn_classes, manifest.rules, of_list)
