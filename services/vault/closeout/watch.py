"""Looks after erasures under way, every few seconds, and so also after a restart in the middle of one."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from services.vault.closeout.erasing import Erasure
from services.vault.closeout.ledger import Ledger
from shared.campaign import Campaign
from shared.logging import describe, get_logger

_log = get_logger(__name__)


class CloseOutWatch:
    """`every_s`: seconds between looks."""

    def __init__(self, campaigns: Iterable[Campaign], ledger: Ledger, erasure: Erasure, *, every_s: float) -> None:
        self._campaigns, self._ledger = tuple(campaigns), ledger
        self._erasure, self._every_s = erasure, every_s

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while the block runs; a step under way when it ends is cancelled, and is safe to do again."""
        await self._ledger.ensure(campaign.id for campaign in self._campaigns)
        task = asyncio.create_task(self._run(), name="close-out watch")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            for campaign in self._campaigns:
                await self._attempt(campaign)
            await asyncio.sleep(self._every_s)

    async def _attempt(self, campaign: Campaign) -> None:
        try:
            await self._erasure.carry_out(campaign)
        except Exception as error:  # noqa: BLE001  (whatever it was, it is tried again; the watch must not end)
            _log.warning("erasure-delayed", campaign=campaign.id, **describe(error))
