"""Who sends what: a notice is claimed for a while by one process, and taken over when that process dies.

Before the text goes out (`sending`) a takeover starts over, since nothing has left. Once it is going out
(`committing`) nobody can know, so a takeover makes it `unknown` for a person to decide.
"""

import secrets
from datetime import timedelta
from typing import Any

from services.notifier import ledger
from services.notifier.states import NoticeState
from shared.ids import BatchId
from shared.storage import ReturnDocument, Store

_READY = [NoticeState.PENDING, NoticeState.DEFERRED]


class Claims:
    """`lease_s`: how long a claim lasts; `gather_s`: how long identical texts wait for a full batch (seconds)."""

    def __init__(self, store: Store, *, lease_s: float, gather_s: float) -> None:
        self._notices = store.db[ledger.NOTICES]
        self._store = store
        self._lease, self._gather = timedelta(seconds=lease_s), timedelta(seconds=gather_s)

    async def one(self) -> list[dict[str, Any]]:
        """A notice with a text of its own, or nothing."""
        now = ledger.wall_now()
        claimed = await self._notices.find_one_and_update(
            {"state": {"$in": _READY}, "kind": {"$ne": "regret"}, "next_at": {"$lte": now}},
            {"$set": {"state": NoticeState.SENDING, "lease_until": now + self._lease}},
            sort=[("next_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return [] if claimed is None else [claimed]

    async def many(self, campaign: str, limit: int) -> tuple[BatchId, list[dict[str, Any]]]:
        """Up to `limit` notices of the same text: a full batch, or what has waited long enough; with the batch's id."""
        now = ledger.wall_now()
        ready = {"campaign": campaign, "kind": "regret", "state": {"$in": _READY}, "next_at": {"$lte": now}}
        waiting = await self._notices.find(ready, {"next_at": 1}).sort("next_at", 1).limit(limit).to_list(None)
        batch_id = BatchId(f"m-{secrets.token_hex(8)}")
        if not waiting or (len(waiting) < limit and waiting[0]["next_at"] > now - self._gather):
            return batch_id, []
        ids = [notice["_id"] for notice in waiting]
        claim = {"state": NoticeState.SENDING, "lease_until": now + self._lease, "batch_id": batch_id}
        await self._notices.update_many({"_id": {"$in": ids}, "state": {"$in": _READY}}, {"$set": claim})
        claimed = self._notices.find({"batch_id": batch_id, "state": NoticeState.SENDING})
        return batch_id, await claimed.to_list(None)

    async def take_over(self) -> None:
        """What a dead process left behind."""
        late = {"lease_until": {"$lt": ledger.wall_now()}}
        await self._notices.update_many(
            {**late, "state": NoticeState.SENDING}, {"$set": {"state": NoticeState.PENDING}}
        )
        await self._notices.update_many(
            {**late, "state": NoticeState.COMMITTING}, {"$set": {"state": NoticeState.UNKNOWN}}
        )
