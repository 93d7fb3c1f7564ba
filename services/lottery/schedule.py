"""The schedule: freezes at the draw time, draws when chance is there, and finishes what a dead process began."""

from services.lottery.drawing import Drawing, NotYet, TooEarly, WrongState
from services.lottery.publishing import Publishing
from services.lottery.states import DrawState
from shared.campaign import Campaign
from shared.clock import Clock


class Schedule:
    def __init__(self, drawing: Drawing, publishing: Publishing, clock: Clock) -> None:
        self._drawing, self._publishing, self._clock = drawing, publishing, clock

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
