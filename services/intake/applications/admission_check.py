"""Whether something that comes now is taken: inside the window, and sealed with a key that is still good."""

from datetime import datetime

from services.intake import problems
from services.intake.campaigns.sealing_keys import Keys
from services.intake.rules.window import Timing, deadline, timing
from shared.campaign import Campaign
from shared.contracts import Channel
from shared.ids import KeyId
from shared.web import ProblemError, unavailable


class Gate:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def refusal(self, campaign: Campaign, channel: Channel, key_id: KeyId, at: datetime) -> ProblemError | None:
        """Why a first arrival is not taken at `at` (domain time); repetitions of what came in time are."""
        window = campaign.window
        match timing(campaign, channel, at):
            case Timing.EARLY:
                return problems.not_open_yet(window.opens, window.closes)
            case Timing.LATE:
                return over(campaign, channel)
        key = await self._keys.find(campaign.id, key_id)
        if key is not None and at < key.not_after:
            return None
        current = await self._keys.current(campaign.id)
        if current is None or current.not_after <= at:
            return unavailable("The vault has not published a usable sealing key yet. Send the same again shortly.")
        return problems.key_expired(current.key_id)


def over(campaign: Campaign, channel: Channel) -> ProblemError:
    """Nothing is taken on this channel any more."""
    return problems.closed(campaign.window.opens, deadline(campaign, channel))
