"""The schedule: freezes at the draw time, draws when chance is there, and finishes what a dead process began."""

from services.lottery.drawing import Drawing
from services.lottery.freezing import Freezing
from services.lottery.publishing import Publishing
from services.lottery.states import DrawState
from services.lottery.steps import NotYet, TooEarly, WrongState, draw_of
from shared.campaign import Campaign
from shared.clock import Clock
from shared.storage import Store


class Schedule:
    def __init__(
        self, store: Store, freezing: Freezing, drawing: Drawing, publishing: Publishing, clock: Clock
    ) -> None:
        self._store, self._clock = store, clock
        self._freezing, self._drawing, self._publishing = freezing, drawing, publishing

    async def advance(self, campaign: Campaign) -> None:
        """Take whatever step is due. Another process may take the same one; one of them does it."""
        state = (await draw_of(self._store, campaign.id))["state"]
        if state == DrawState.OPEN and self._clock.now() >= campaign.draw.at:
            try:
                await self._freezing.freeze(campaign.id)
            except (NotYet, TooEarly, WrongState):
                return
        elif state == DrawState.FREEZING:
            await self._freezing.finish(campaign.id)
        elif state == DrawState.FROZEN:
            await self._drawing.draw_if_possible(campaign.id)
        elif state == DrawState.DRAWN:
            await self._publishing.publish_if_drawn(campaign.id)
