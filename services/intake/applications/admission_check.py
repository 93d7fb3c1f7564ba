"""Check whether intake may admit an arrival: inside the window, and sealed with a valid key."""

from datetime import datetime

from services.intake import problems
from services.intake.campaigns.sealing_key_repository import SealingKeyRepository
from services.intake.rules.window import Timing, classify_time, deadline
from shared.campaign import Campaign
from shared.contracts import Channel
from shared.ids import KeyId
from shared.web import ProblemError, unavailable


class AdmissionCheck:
    """Check arrivals of all channels."""

    def __init__(self, keys: SealingKeyRepository) -> None:
        self._keys = keys

    async def refusal(self, campaign: Campaign, channel: Channel, key_id: KeyId, at: datetime) -> ProblemError | None:
        """Return the refusal of a first arrival at `at` (domain time), or None if intake may admit it.

        The caller admits repetitions of an arrival that was in time.
        """
        window = campaign.window
        match classify_time(campaign, channel, at):
            case Timing.EARLY:
                return problems.not_open_yet(window.opens, window.closes)
            case Timing.LATE:
                return refuse_closed(campaign, channel)
        key = await self._keys.find(campaign.id, key_id)
        if key is not None and at < key.not_after:
            return None
        current = await self._keys.find_current(campaign.id)
        if current is None or current.not_after <= at:
            return unavailable("The vault has not published a usable sealing key yet. Send the same again shortly.")
        return problems.key_expired(current.key_id)


def refuse_closed(campaign: Campaign, channel: Channel) -> ProblemError:
    """Return the refusal of a channel whose deadline is past."""
    return problems.closed(campaign.window.opens, deadline(campaign, channel))
