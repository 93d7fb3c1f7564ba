"""The transcript in public follows what happens to places: signed again with the history that it then has.

Done by the schedule and not in each move: a large draw's transcript is megabytes, and moves come in flocks. Draws that
another corrected are renewed as well, so that theirs is complete to the moment when they were given up.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.transcript_repository import TranscriptRepository
from services.lottery.keys import LotteryKeys
from services.lottery.places.repository import history_of
from services.lottery.record.transcript import sign_transcript
from shared.campaign import Campaign
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class Renewing:
    def __init__(self, store: Store, keys: LotteryKeys) -> None:
        self._store, self._keys = store, keys

    async def renew(self, campaign: Campaign) -> None:
        """Sign and publish what is not in the transcript yet. Safe to repeat, also by several processes."""
        async for draw in FollowUpRepository(self._store).unsigned(campaign.id):
            await self._renew(draw)

    async def _renew(self, draw: Draw) -> None:
        history = [*draw.history, *await history_of(self._store, draw.id)]
        before = await TranscriptRepository(self._store).get(draw.id)
        renewed = await asyncio.to_thread(self._signed, before, history)

        async def work(uow: UnitOfWork) -> None:
            if await FollowUpRepository(uow).note_signed(draw):
                await TranscriptRepository(uow).replace(draw.id, renewed)

        await self._store.transact(work)
        _log.info("transcript-renewed", draw=draw.id, count=len(history))

    def _signed(self, before: str, history: Sequence[Mapping[str, Any]]) -> str:
        content = {name: value for name, value in json.loads(before).items() if name != "signature_of_result"}
        return json.dumps(sign_transcript({**content, "history": history}, self._keys.signing), ensure_ascii=False)
