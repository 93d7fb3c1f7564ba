"""The work of mailing: several sessions side by side take what is claimed for them, until told to stop."""

import asyncio
from collections.abc import Callable, Mapping

from services.notifier.claims import Claim, ClaimLost, Claims
from services.notifier.composing import Composing
from services.notifier.rules.pacing import Pacing
from services.notifier.sending import RelayAway, Sender
from shared.campaign import Campaign
from shared.errors import TransientError
from shared.ids import CampaignId
from shared.logging import describe, get_logger
from shared.storage import PyMongoError

_log = get_logger(__name__)

_AWAY_S = 5.0


class Dispatch:
    def __init__(
        self,
        claims: Claims,
        composing: Composing,
        new_sender: Callable[[], Sender],
        pacing: Pacing,
        campaigns: Mapping[CampaignId, Campaign],
        *,
        connections: int,
        poll_s: float,
    ) -> None:
        self._claims, self._composing, self._new_sender = claims, composing, new_sender
        self._pacing, self._campaigns = pacing, campaigns
        self._connections, self._poll_s = connections, poll_s
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            *(asyncio.create_task(self._session(), name=f"mail {n}") for n in range(self._connections)),
            asyncio.create_task(self._recover(), name="mail takeover"),
        ]

    async def stop(self, patience_s: float) -> None:
        """Messages under way are finished; nothing new is begun."""
        self._stopping.set()
        _, late = await asyncio.wait(self._tasks, timeout=patience_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _session(self) -> None:
        """Until told to stop. Whatever goes wrong with one message, the session lives on for the others."""
        sender = self._new_sender()
        while not self._stopping.is_set():
            try:
                if not await self._one_message(sender):
                    await self._rest(self._poll_s)
            except RelayAway as error:
                _log.warning("relay-away", reason=str(error))
                await self._rest(_AWAY_S)
            except ClaimLost:
                _log.warning("claim-lost")
            except (PyMongoError, TransientError) as error:
                _log.warning("dispatch-waits", **describe(error))
                await self._rest(_AWAY_S)
            except Exception as error:  # noqa: BLE001  (the outermost loop of a worker)
                _log.error("dispatch-failed", **describe(error))
                await self._rest(_AWAY_S)
        await sender.close()

    async def _one_message(self, sender: Sender) -> bool:
        """Whether there was anything to send."""
        claim = await self._claims.one() or await self._batch()
        if claim is None:
            return False
        content = await self._composing.mail(claim.notices)
        await self._pacing.turn(notice.get("mail_domain_class") for notice in claim.notices)
        await sender.send(claim, content)
        return True

    async def _batch(self) -> Claim | None:
        for campaign in self._campaigns.values():
            claim = await self._claims.many(campaign.id, campaign.bcc_batch)
            if claim is not None:
                return claim
        return None

    async def _recover(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._claims.take_over()
            except (PyMongoError, TransientError) as error:
                _log.warning("takeover-waits", **describe(error))
            await self._rest(_AWAY_S)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
