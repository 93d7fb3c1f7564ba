"""The schedule: freezes at the draw time, draws when chance is there, erases when told, finishes what died half-way."""

import asyncio
from collections.abc import Mapping

from services.lottery.drawing import Drawing, NotYet, TooEarly, WrongState
from services.lottery.erasure import Erasure
from services.lottery.publishing import Publishing
from services.lottery.states import DrawState
from shared.campaign import Campaign
from shared.clock import Clock
from shared.errors import TransientError
from shared.ids import CampaignId
from shared.logging import describe, get_logger
from shared.storage import PyMongoError

_log = get_logger(__name__)


class Schedule:
    def __init__(
        self,
        drawing: Drawing,
        publishing: Publishing,
        erasure: Erasure,
        clock: Clock,
        campaigns: Mapping[CampaignId, Campaign],
        tick_s: float,
    ) -> None:
        self._drawing, self._publishing, self._erasure = drawing, publishing, erasure
        self._clock, self._campaigns, self._tick_s = clock, campaigns, tick_s

    async def run(self) -> None:
        """Look at every campaign again and again, until cancelled."""
        while True:
            for campaign in self._campaigns.values():
                try:
                    await self.advance(campaign)
                    await self._erasure.carry_out(campaign.id)
                except (PyMongoError, TransientError) as error:
                    _log.warning("schedule-waits", campaign=campaign.id, **describe(error))
            await asyncio.sleep(self._tick_s)

    async def advance(self, campaign: Campaign) -> None:
        """Take whatever step is due. Another process may take the same one; one of them does it."""
        state = (await self._drawing.state(campaign.id))["state"]
        if state == DrawState.OPEN and self._clock.now() >= campaign.draw.at:
            try:
                await self._drawing.freeze(campaign.id)
            except (NotYet, TooEarly, WrongState):
                return
        elif state == DrawState.FROZEN:
            await self._drawing.draw_if_possible(campaign.id)
        elif state == DrawState.DRAWN:
            await self._publishing.publish_if_drawn(campaign.id)
