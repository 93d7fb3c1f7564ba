"""Claims: one session holds notices for a limited time; another session takes them over when the holder died.

Every claim has a mark of its own, and only its holder may move the notices on. A slow session that has lost its claim
can therefore not send what another session is sending. Before the text is sent (`sending`) a takeover starts again,
because nothing has left. While it is being sent (`committing`) the result cannot be known, so a takeover makes the
notice `unknown` and a handler decides (ADR 0012).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice
from services.notifier.wall_clock import wall_now
from shared.ids import BatchId, CampaignId, NoticeId
from shared.storage import Store, UnitOfWork


@dataclass(frozen=True)
class Claim:
    """Notices held by one session. `envelope_id` names them to the mail servers: the id of a notice or of a batch."""

    mark: str
    envelope_id: str
    notices: Sequence[Notice]


class Claims:
    """Claim due notices. `lease_s`: duration of a claim; `gather_s`: longest wait for a full batch (seconds)."""

    def __init__(self, store: Store, *, lease_s: float, gather_s: float) -> None:
        self._store, self._notices = store, NoticeRepository(store.db)
        self._lease, self._gather = timedelta(seconds=lease_s), timedelta(seconds=gather_s)

    async def claim_single(self) -> Claim | None:
        """Claim one notice that has a text of its own or must be mailed alone; None if none is due."""
        mark = secrets.token_hex(8)
        notice = await self._notices.claim_single(mark, self._lease_end(), wall_now())
        return None if notice is None else Claim(mark, notice.id, [notice])

    async def claim_batch(self, campaign: CampaignId, limit: int) -> Claim | None:
        """Claim up to `limit` notices with the same text; None if the batch is neither full nor old enough.

        Sessions that claim at the same time share no notice: the database runs one of their transactions again.
        """
        mark, batch_id = secrets.token_hex(8), BatchId(f"m-{secrets.token_hex(8)}")

        async def claim_due(uow: UnitOfWork) -> bool:
            notices = NoticeRepository.within(uow)
            due = await self._list_due(notices, campaign, limit)
            if due:
                await notices.claim_batch(due, mark, self._lease_end(), batch_id)
            return bool(due)

        if not await self._list_due(self._notices, campaign, limit) or not await self._store.transact(claim_due):
            return None
        return Claim(mark, batch_id, await self._notices.list_claimed(mark))

    async def _list_due(self, notices: NoticeRepository, campaign: CampaignId, limit: int) -> list[NoticeId]:
        now = wall_now()
        due = await notices.list_due_batch(campaign, limit, now)
        is_ready = len(due) == limit or (due and due[0].next_at <= now - self._gather)
        return [notice.id for notice in due] if is_ready else []

    async def begin_sending_text(self, claim: Claim, ids: Sequence[NoticeId]) -> None:
        """Write durably that the text is about to be sent. Raises ClaimLostError if the claim does not hold all."""

        async def begin(uow: UnitOfWork) -> None:
            await NoticeRepository.within(uow).begin_sending_text(claim.mark, ids, self._lease_end())

        await self._store.transact(begin)

    async def release(self, claim: Claim, wait_s: float) -> None:
        """Defer notices of which nothing was sent by `wait_s` seconds; the attempt does not count."""
        await self._notices.release_claim(claim.mark, wall_now() + timedelta(seconds=wait_s))

    async def take_over_expired(self) -> None:
        """Move on the notices of sessions that died."""
        await self._notices.take_over_expired(wall_now())

    def _lease_end(self) -> datetime:
        return wall_now() + self._lease
