"""Who sends what: a notice is claimed for a while by one session, and taken over when that session dies.

Every claim has a mark of its own, and only its holder may move the notice on: a session that was slow and has lost
its claim cannot send what another is sending. Before the text goes out (`sending`) a takeover starts over, since
nothing has left. Once it is going out (`committing`) nobody can know, so a takeover makes it `unknown` for a person
to decide (ADR 0012).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.notifier import ledger
from services.notifier.rules.states import NoticeState
from shared.ids import BatchId, CampaignId
from shared.storage import ReturnDocument, Store, UnitOfWork

Notice = Mapping[str, Any]

_READY = [NoticeState.PENDING, NoticeState.DEFERRED]
_SINGLY = {"$or": [{"kind": {"$ne": "regret"}}, {"alone": True}]}


class ClaimLost(Exception):  # noqa: N818  (says what is the case)
    """Some of the notices were taken over meanwhile; nothing was changed, and nothing may be sent."""


@dataclass(frozen=True)
class Claim:
    """Notices held by one session. `envelope_id` names them to the mail servers: a notice's id, or a batch's."""

    mark: str
    envelope_id: str
    notices: Sequence[Notice]


class Claims:
    """`lease_s`: how long a claim lasts; `gather_s`: how long identical texts wait for a full batch (seconds)."""

    def __init__(self, store: Store, *, lease_s: float, gather_s: float) -> None:
        self._store, self._notices = store, store.db[ledger.NOTICES]
        self._lease, self._gather = timedelta(seconds=lease_s), timedelta(seconds=gather_s)

    async def one(self) -> Claim | None:
        """A notice with a text of its own, or one that must go alone."""
        mark, now = secrets.token_hex(8), ledger.wall_now()
        claimed = await self._notices.find_one_and_update(
            {"state": {"$in": _READY}, "next_at": {"$lte": now}, **_SINGLY},
            {"$set": self._held(mark, None), "$inc": {"attempts": 1}},
            sort=[("next_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if claimed is None else Claim(mark, claimed["_id"], [claimed])

    async def many(self, campaign: CampaignId, limit: int) -> Claim | None:
        """Up to `limit` notices of the same text: a full batch, or what has waited long enough. Rivals split none."""
        mark, batch_id = secrets.token_hex(8), BatchId(f"m-{secrets.token_hex(8)}")

        async def work(uow: UnitOfWork) -> list[str]:
            due = await self._due(campaign, limit, uow)
            if due:
                await uow.db[ledger.NOTICES].update_many(
                    {"_id": {"$in": due}},
                    {"$set": self._held(mark, batch_id), "$inc": {"attempts": 1}},
                    session=uow.session,
                )
            return due

        if not await self._due(campaign, limit) or not await self._store.transact(work):
            return None
        return Claim(mark, batch_id, await self._notices.find({"claim": mark}).to_list(None))

    async def _due(self, campaign: CampaignId, limit: int, uow: UnitOfWork | None = None) -> list[str]:
        now = ledger.wall_now()
        ready = {"campaign": campaign, "kind": "regret", "state": {"$in": _READY}, "next_at": {"$lte": now}}
        found = self._notices.find(
            {**ready, "alone": {"$ne": True}}, {"next_at": 1}, session=uow.session if uow else None
        )
        waiting = await found.sort("next_at", 1).limit(limit).to_list(None)
        ripe = len(waiting) == limit or (waiting and waiting[0]["next_at"] <= now - self._gather)
        return [notice["_id"] for notice in waiting] if ripe else []

    def _held(self, mark: str, batch_id: BatchId | None) -> dict[str, Any]:
        until = ledger.wall_now() + self._lease
        return {"state": NoticeState.SENDING, "claim": mark, "lease_until": until, "batch_id": batch_id}

    async def commit(self, mark: str, ids: Sequence[str]) -> None:
        """The durable mark before the text goes out. Raises ClaimLost where not all of them are still held."""
        wanted, change = ledger.moving(NoticeState.COMMITTING, lease_until=ledger.wall_now() + self._lease)

        async def work(uow: UnitOfWork) -> None:
            mine = {"_id": {"$in": list(ids)}, "claim": mark, **wanted}
            changed = await uow.db[ledger.NOTICES].update_many(mine, change, session=uow.session)
            if changed.modified_count != len(ids):
                raise ClaimLost

        await self._store.transact(work)

    async def settle(self, mark: str, ids: Sequence[str], to: NoticeState, **values: Any) -> None:
        """Move on what is still held under this mark."""
        wanted, change = ledger.moving(to, **values)
        await self._notices.update_many({"_id": {"$in": list(ids)}, "claim": mark, **wanted}, change)

    async def put_off(self, mark: str, wait_s: float) -> None:
        """Nothing was sent and nobody refused: later, and it was no attempt."""
        wanted, change = ledger.moving(
            NoticeState.DEFERRED, next_at=ledger.wall_now() + timedelta(seconds=wait_s), batch_id=None
        )
        mine = {"claim": mark, "state": NoticeState.SENDING}
        await self._notices.update_many({**wanted, **mine}, {**change, "$inc": {"attempts": -1}})

    async def take_over(self) -> None:
        """What a dead session left behind."""
        late = {"lease_until": {"$lt": ledger.wall_now()}}
        for state, after in ((NoticeState.SENDING, NoticeState.PENDING), (NoticeState.COMMITTING, NoticeState.UNKNOWN)):
            await self._notices.update_many({**late, "state": state}, {"$set": {"state": after}})
