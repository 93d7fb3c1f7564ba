"""Sign transcripts again after places moved, so that the public history is complete. Run by the scheduler.

Moves do not do it themselves: a large transcript has megabytes, and moves come in groups. Past draws are included, so
that their history is complete up to the correction.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.transcript_repository import TranscriptRepository
from services.lottery.keys import LotteryKeys, RefusedRecords, RevokedKeyError
from services.lottery.places.history_repository import HistoryRepository
from services.lottery.record.transcript import sign_transcript
from shared.campaign import Campaign
from shared.canonical import canonical
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class TranscriptSigner:
    def __init__(self, store: Store, keys: LotteryKeys) -> None:
        self._store, self._keys, self._refused = store, keys, RefusedRecords(keys)

    async def renew(self, campaign: Campaign) -> None:
        """Publish new transcripts for draws with unsigned events. Safe to repeat, also by several processes.

        The transcript of a revoked key is told once and not read again; those of other draws are renewed all the same.
        """
        async for draw in FollowUpRepository(self._store).unsigned(campaign.id):
            if self._refused.has(draw.id):
                continue
            try:
                await self._renew(draw)
            except RevokedKeyError:
                self._refused.add("transcript-of-a-revoked-key", campaign.id, draw.id)

    async def _renew(self, draw: Draw) -> None:
        history = [*draw.history, *await HistoryRepository(self._store).all(draw.id)]
        before = await TranscriptRepository(self._store).get(draw.id)
        renewed = await asyncio.to_thread(self._signed, before, history)

        async def replace(uow: UnitOfWork) -> None:
            if await FollowUpRepository(uow).note_signed(draw):
                await TranscriptRepository(uow).replace(draw.id, renewed)

        await self._store.transact(replace)
        _log.info("transcript-renewed", draw=draw.id, count=len(history))

    def _signed(self, before: str, history: Sequence[Mapping[str, Any]]) -> str:
        signing, content = self._keys.signing, json.loads(before)
        signature = content.pop("signature_of_result")
        self._keys.check(canonical(content), signature)
        manifest = content["manifest"].encode("utf-8")
        of_key = {"signing_key": signing.public, "signature": signing.sign(manifest)}
        return json.dumps(sign_transcript({**content, **of_key, "history": history}, signing), ensure_ascii=False)
