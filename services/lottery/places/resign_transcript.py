"""The transcript in public follows what happens to places: signed again with the history that it then has.

Done by the schedule and not in each move: a large draw's transcript is megabytes, and moves come in flocks. Draws that
another corrected are renewed as well, so that theirs is complete to the moment when they were given up.
"""

import asyncio
import json
from typing import Any

from services.lottery.draw import repository as draws
from services.lottery.keys import LotteryKeys
from services.lottery.places.repository import history_of
from services.lottery.record.transcript import signed
from shared.campaign import Campaign
from shared.ids import DrawId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class Renewing:
    def __init__(self, store: Store, keys: LotteryKeys) -> None:
        self._store, self._keys = store, keys

    async def renew(self, campaign: Campaign) -> None:
        """Sign and publish what is not in the transcript yet. Safe to repeat, also by several processes."""
        behind = {"$expr": {"$gt": ["$places.changes", {"$ifNull": ["$places.signed", 0]}]}}
        for name, query in ((draws.DRAWS, {"_id": campaign.id}), (draws.PAST_DRAWS, {"campaign": campaign.id})):
            async for draw in self._store.db[name].find({**query, **behind}):
                await self._renew(name, draw)

    async def _renew(self, collection: str, draw: dict[str, Any]) -> None:
        name, text = draw["draw"], f"{draw['draw']}:transcript"
        history = [*draw["history"], *await history_of(self._store, DrawId(name))]
        before = await draws.get_text(self._store, text)
        renewed = await asyncio.to_thread(self._signed, before, history)
        changes = draw["places"]["changes"]

        async def work(uow: UnitOfWork) -> None:
            same = {"_id": draw["_id"], "draw": name, "places.changes": changes}
            done = await uow.db[collection].update_one(same, {"$set": {"places.signed": changes}}, session=uow.session)
            if done.modified_count:
                await draws.replace_text(uow, text, renewed)

        await self._store.transact(work)
        _log.info("transcript-renewed", draw=name, count=len(history))

    def _signed(self, before: str, history: list[dict[str, Any]]) -> str:
        content = {name: value for name, value in json.loads(before).items() if name != "signature_of_result"}
        return json.dumps(signed({**content, "history": history}, self._keys.signing), ensure_ascii=False)
