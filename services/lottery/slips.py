"""Sign outcome slips (`docs/protocols.md` §3): all outcomes of one application at one moment.

The vault sends what the slip says, and refuses a slip without this signature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lottery.draw.rules.result import Result
from services.lottery.keys import LotteryKeys
from services.lottery.record.passes import make_pass, write_pass
from shared.campaign import Campaign
from shared.codes import EntryId
from shared.contracts import SLIP_CONTEXT, OutcomeSlip, SlipOutcome
from shared.ids import CampaignId, ClassId, DrawId
from shared.json_types import JsonObject

_CHANGES_OF_DRAW: Final = 1_000_000
"""Numbers of a draw's slips; the next draw's are higher."""

_HAS_PASS: Final = frozenset({"won", "offered"})


@dataclass(frozen=True)
class SlipIssue:
    """Draw, number and time of a slip. `change`: number of the event after the draw; 0 for the result."""

    campaign: CampaignId
    draw: DrawId
    draw_number: int
    change: int
    at: datetime

    @property
    def n(self) -> int:
        """Number of the slip. It rises with every change and every draw."""
        return self.draw_number * _CHANGES_OF_DRAW + self.change


class SlipSigner:
    """Signs slips with the lottery's signing key, and writes the passes in them."""

    def __init__(self, keys: LotteryKeys, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._keys, self._campaigns = keys, campaigns

    def write_pass(self, campaign: CampaignId, entry: EntryId, class_id: ClassId, seats: int) -> str:
        """Return the signed pass of a class."""
        content = make_pass(self._campaigns[campaign], bytes.fromhex(entry), class_id, seats)
        return write_pass(self._keys.signing, campaign, content)

    def sign(self, issue: SlipIssue, result: Result) -> OutcomeSlip:
        """Return the slip. The same content gives the same bytes."""
        document: JsonObject = {
            "v": 2,
            "campaign": issue.campaign,
            "draw": issue.draw,
            "n": issue.n,
            "token": result.token,
            "receipt": result.receipt,
            "entry": result.entry,
            "issued_at": issue.at.isoformat(),
            "outcomes": [_set_members(outcome) for outcome in result.outcomes],
            "passes": [
                {
                    "class_id": outcome.class_id,
                    "code": self.write_pass(issue.campaign, result.entry, outcome.class_id, outcome.seats),
                }
                for outcome in result.outcomes
                if outcome.outcome in _HAS_PASS
            ],
        }
        return OutcomeSlip.model_validate(self._keys.signing.sign_in_context(SLIP_CONTEXT, document))


def _set_members(outcome: SlipOutcome) -> JsonObject:
    return {member: value for member, value in outcome if value is not None}
