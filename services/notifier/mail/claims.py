"""Claims: one session holds a notice for a limited time; another session takes them over when the holder died.

Every claim has a mark of its own, and only its holder may move the notice on. A slow session that has lost its claim
can therefore not send what another session is sending. Before the text is sent (`sending`) a takeover starts again,
because nothing has left. While it is being sent (`committing`) the result cannot be known, so a takeover makes the
notice `unknown` and a handler decides (ADR 0012).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice
from services.notifier.wall_clock import wall_now
from shared.storage import Store, UnitOfWork


@dataclass(frozen=True)
class Claim:
    """Notice held by one session. `mark` is of this claim alone."""

    mark: str
    notice: Notice


class Claims:
    """Claim due notices. `lease_s`: duration of a claim (seconds)."""

    def __init__(self, store: Store, *, lease_s: float) -> None:
        self._store, self._notices = store, NoticeRepository(store.db)
        self._lease = timedelta(seconds=lease_s)

    async def claim_next(self) -> Claim | None:
        """Claim one notice; None if none is due. Sessions that claim at the same time share no notice."""
        mark = secrets.token_hex(8)
        notice = await self._notices.claim_next(mark, self._lease_end(), wall_now())
        return None if notice is None else Claim(mark, notice)

    async def begin_sending_text(self, claim: Claim) -> None:
        """Write durably that the text is about to be sent. Raises ClaimLostError if the claim lost the notice."""

        async def begin(uow: UnitOfWork) -> None:
            await NoticeRepository.within(uow).begin_sending_text(claim.mark, claim.notice.id, self._lease_end())

        await self._store.transact(begin)

    async def release(self, claim: Claim, wait_s: float) -> None:
        """Defer a notice of which nothing was sent by `wait_s` seconds; the attempt does not count."""
        await self._notices.release_claim(claim.mark, wall_now() + timedelta(seconds=wait_s))

    async def take_over_expired(self) -> None:
        """Move on the notices of sessions that died."""
        await self._notices.take_over_expired(wall_now())

    def _lease_end(self) -> datetime:
        return wall_now() + self._lease
