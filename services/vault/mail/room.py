"""The mail room: claim deliveries in bundles, write their texts, send them, and write and publish the outcomes.

What is not yet `committing` is sent again after a crash; what is `committing` may have left and becomes `unknown`
(ADR 12, ADR 31). All claims run out by the database's clock.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from services.vault.deliveries.repository import DeliveryRepository
from services.vault.deliveries.rules.delivery import Delivery, Outcome
from services.vault.deliveries.rules.states import DeliveryState
from services.vault.mail.answers import publish_outcomes
from services.vault.mail.composer import MailComposer
from services.vault.mail.session import OutgoingMail
from services.vault.mail.sessions import SentMails, SessionPool
from shared.errors import TransientError
from shared.logging import describe, get_logger
from shared.storage import PyMongoError, Store, UnitOfWork

_log = get_logger(__name__)

_MOST_LOST_SESSIONS: Final = 5
"""Sessions that may end at one recipient before the notifier is told to try later."""

_LONGEST_PAUSE_S: Final = 60.0
_END_S: Final = 5.0


@dataclass(frozen=True)
class Pace:
    """`bundle`: deliveries claimed at once. `commit`: texts that are marked, sent and settled at once.

    A crash makes the groups under way unknown: of each worker those being sent and those whose outcomes are being
    written. Times in seconds.
    """

    bundle: int = 200
    commit: int = 50
    workers: int = 2
    poll_s: float = 0.1
    lease_s: float = 60.0
    retry_s: float = 1.0
    take_over_s: float = 5.0


class MailRoom:
    """Run the workers between `start` and `stop`."""

    def __init__(self, store: Store, composer: MailComposer, pool: SessionPool, pace: Pace | None = None) -> None:
        self._store, self._deliveries = store, DeliveryRepository(store)
        self._composer, self._pool, self._pace = composer, pool, pace or Pace()
        self._stopping, self._ending = asyncio.Event(), False
        self._failures = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the workers."""
        workers = [self._work() for _ in range(self._pace.workers)]
        self._tasks = [asyncio.create_task(one, name="mail room") for one in (*workers, self._take_over())]

    async def stop(self, timeout_s: float) -> None:
        """Begin no further mail, write the outcomes of those under way, and end what is not done after `timeout_s`."""
        self._stopping.set()
        self._pool.stopping = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            self._ending = True
            for task in late:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=_END_S)
        await self._pool.close()

    async def waiting_for_server(self) -> int:
        """Return the number of mails that wait because the mail server is away; 0 while it takes mail."""
        return await self._deliveries.count(DeliveryState.QUEUED) if self._pool.is_away else 0

    async def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                pause_s = 0.0 if await self._send_bundle() else self._pace.poll_s
                if self._pool.is_away:
                    self._failures += 1
                    pause_s = self._backoff_s()
                else:
                    self._failures = 0
            except (PyMongoError, TransientError) as error:
                _log.warning("mail-room-waits", **describe(error))
                pause_s = self._pace.retry_s
            except Exception as error:  # noqa: BLE001  (the outermost loop of a worker)
                _log.error("mail-room-failed", **describe(error))
                pause_s = self._pace.retry_s
            await self._pause(pause_s)

    async def _send_bundle(self) -> bool:
        """Claim one bundle and send it. Return False if nothing was due."""
        mark = secrets.token_hex(8)
        deliveries = await self._claim(mark)
        if not deliveries:
            return False
        async with self._renewing(mark):
            try:
                composed = await self._composer.compose(deliveries)
                await self._settle(mark, deliveries, composed.settled)
                await self._send_groups(mark, composed.mails, {delivery.id: delivery for delivery in deliveries})
            except (PyMongoError, TransientError):
                # A mark may have been written although its answer was lost. Nothing of these was sent.
                await self._insist(lambda: self._deliveries.release(mark, _ids(deliveries), self._pace.retry_s))
                raise
        return True

    async def _claim(self, mark: str) -> list[Delivery]:
        """Claim a bundle. Claims whose answer is lost are given back, so that they need not run out first."""
        try:
            return await self._deliveries.claim(mark, self._pace.bundle, self._pace.lease_s)
        except (PyMongoError, TransientError):
            await self._insist(lambda: self._deliveries.release(mark, None, 0))
            raise

    async def _send_groups(self, mark: str, mails: Sequence[OutgoingMail], by_id: Mapping[str, Delivery]) -> None:
        """Send group after group; outcomes are written while the next group is sent, and before this returns."""
        writing: list[asyncio.Task[None]] = []
        try:
            for start in range(0, len(mails), self._pace.commit):
                if self._stopping.is_set() or (start and self._pool.is_away):
                    await self._give_back(mark, [mail.id for mail in mails[start:]])
                    break
                group = mails[start : start + self._pace.commit]
                begun = await self._deliveries.begin(mark, [mail.id for mail in group], self._pace.lease_s)
                sent = await self._pool.send_all([mail for mail in group if mail.id in begun])
                deliveries = [by_id[mail.id] for mail in group if mail.id in begun]
                writing.append(asyncio.create_task(self._finish(mark, deliveries, sent), name="mail outcomes"))
        finally:
            await asyncio.gather(*writing)

    async def _finish(self, mark: str, deliveries: Sequence[Delivery], sent: SentMails) -> None:
        """Write the outcomes of a group, and let those wait whose text was not sent."""
        outcomes = dict(sent.outcomes)
        for delivery in deliveries:
            if delivery.id in sent.lost and delivery.lost_sessions + 1 >= _MOST_LOST_SESSIONS:
                outcomes[delivery.id] = Outcome(DeliveryState.LATER)
        await self._settle(mark, deliveries, outcomes)
        await self._release(mark, [delivery.id for delivery in deliveries if delivery.id not in outcomes], sent)

    async def _release(self, mark: str, ids: Sequence[str], sent: SentMails) -> None:
        """Let deliveries wait of which nothing was sent; a try counts only where the session ended at this mail."""
        lost = [row_id for row_id in ids if row_id in sent.lost]
        if lost:
            await self._insist(lambda: self._deliveries.release(mark, lost, self._pace.retry_s, counts=True))
        others = [row_id for row_id in ids if row_id not in sent.lost]
        if others:
            await self._give_back(mark, others)

    async def _give_back(self, mark: str, ids: Sequence[str]) -> None:
        await self._insist(lambda: self._deliveries.release(mark, ids, 0))

    async def _settle(self, mark: str, deliveries: Sequence[Delivery], outcomes: Mapping[str, Outcome]) -> None:
        """Write and publish outcomes in one transaction, again and again until it is done."""
        if not outcomes:
            return
        occasion = f"{mark}:{min(outcomes)}"

        async def write_outcomes(uow: UnitOfWork) -> None:
            await self._deliveries.settle(uow, outcomes)
            await publish_outcomes(uow, deliveries, outcomes, occasion)

        await self._insist(lambda: self._store.transact(write_outcomes))

    async def _insist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Repeat a write until it succeeds; only the end of the process ends that, and then the lease does."""
        pause_s = 0.1
        while True:
            try:
                return await write()
            except (PyMongoError, TransientError) as error:
                _log.warning("outcome-not-written", **describe(error))
                if self._ending:
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 2.0)

    async def _take_over(self) -> None:
        """Report deliveries `unknown` whose process ended while their text may have been on its way.

        Claims run out too while no primary takes their prolonging: after that, their processes get another lease's
        time to write the outcomes.
        """
        while not self._stopping.is_set():
            pause_s = self._pace.take_over_s
            try:
                await self._store.transact(self._report_unknown)
            except (PyMongoError, TransientError) as error:
                _log.warning("mail-room-waits", **describe(error))
                pause_s = await self._await_primary()
            await self._pause(pause_s)

    async def _await_primary(self) -> float:
        """Return, when the database answers again, how long its other clients may need: seconds."""
        while not self._stopping.is_set() and not await self._store.ping():
            await self._pause(self._pace.retry_s)
        return self._pace.lease_s

    async def _report_unknown(self, uow: UnitOfWork) -> None:
        lost = await self._deliveries.expired(uow, self._pace.bundle)
        if not lost:
            return
        _log.warning("mail-answers-lost", count=len(lost))
        outcomes = {delivery.id: Outcome(DeliveryState.UNKNOWN) for delivery in lost}
        await self._deliveries.settle(uow, outcomes)
        await publish_outcomes(uow, lost, outcomes, f"unknown:{min(outcomes)}")

    @asynccontextmanager
    async def _renewing(self, mark: str) -> AsyncIterator[None]:
        """Prolong the claim while the bundle is under way."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(self._pace.lease_s / 4)
                with suppress(PyMongoError, TransientError):  # raised at the end of the process only
                    await self._insist(lambda: self._deliveries.renew(mark, self._pace.lease_s))

        task = asyncio.create_task(renew(), name="mail room claim")
        try:
            yield
        finally:
            task.cancel()

    def _backoff_s(self) -> float:
        return min(self._pace.retry_s * 2.0 ** min(self._failures, 10), _LONGEST_PAUSE_S)

    async def _pause(self, pause_s: float) -> None:
        """Wait, at most until the service stops."""
        if pause_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()


def _ids(deliveries: Sequence[Delivery]) -> list[str]:
    """Return the ids of the rows."""
    return [delivery.id for delivery in deliveries]
