"""The mail dispatcher: parallel sessions that claim notices and send them until the service stops."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from services.notifier.mail.claims import Claims
from services.notifier.mail.compose import MailComposer
from services.notifier.mail.sender import MailSender, RelayUnavailableError
from services.notifier.repository import ClaimLostError
from services.notifier.rules.pacing import Pacing
from shared.errors import TransientError
from shared.logging import describe, get_logger
from shared.storage import PyMongoError

_log = get_logger(__name__)

_PAUSE_AFTER_FAILURE_S: Final = 5.0
_TAKEOVER_EVERY_S: Final = 5.0


class MailDispatcher:
    """Run `connections` mail sessions and the takeover of expired claims as tasks of this process."""

    def __init__(
        self,
        claims: Claims,
        composer: MailComposer,
        new_sender: Callable[[], MailSender],
        pacing: Pacing,
        *,
        connections: int,
        poll_s: float,
    ) -> None:
        self._claims, self._composer, self._new_sender = claims, composer, new_sender
        self._pacing, self._connections, self._poll_s = pacing, connections, poll_s
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self, timeout_s: float) -> AsyncIterator[None]:
        """Send mails while the block runs; at its end, wait `timeout_s` seconds at most for mails being sent."""
        self.start()
        try:
            yield
        finally:
            await self.stop(timeout_s)

    def start(self) -> None:
        """Start the tasks."""
        self._tasks = [
            *(asyncio.create_task(self._run_session(), name=f"mail {n}") for n in range(self._connections)),
            asyncio.create_task(self._run_takeover(), name="mail takeover"),
        ]

    async def stop(self, timeout_s: float) -> None:
        """Finish the mails being sent and begin no new ones; cancel what is not finished after `timeout_s` seconds."""
        self._stopping.set()
        _, unfinished = await asyncio.wait(self._tasks, timeout=timeout_s)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run_session(self) -> None:
        """Send mail after mail until the service stops. An error of one mail does not end the session."""
        sender = self._new_sender()
        while not self._stopping.is_set():
            try:
                if not await self._send_next(sender):
                    await self._pause(self._poll_s)
            except RelayUnavailableError as error:
                _log.warning("relay-unavailable", reason=str(error))
                await self._pause(_PAUSE_AFTER_FAILURE_S)
            except ClaimLostError:
                _log.warning("claim-lost")
            except (PyMongoError, TransientError) as error:
                _log.warning("dispatch-waits", **describe(error))
                await self._pause(_PAUSE_AFTER_FAILURE_S)
            except Exception as error:  # noqa: BLE001  (the outermost loop of a worker)
                _log.error("dispatch-failed", **describe(error))
                await self._pause(_PAUSE_AFTER_FAILURE_S)
        await sender.close()

    async def _send_next(self, sender: MailSender) -> bool:
        """Claim, compose and send one mail. Return False if nothing is due."""
        claim = await self._claims.claim_next()
        if claim is None:
            return False
        content = await self._composer.compose(claim.notice)
        await self._pacing.wait_turn(claim.notice.mail_domain_class)
        await sender.send(claim, content)
        return True

    async def _run_takeover(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._claims.take_over_expired()
            except (PyMongoError, TransientError) as error:
                _log.warning("takeover-waits", **describe(error))
            await self._pause(_TAKEOVER_EVERY_S)

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until the service stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
