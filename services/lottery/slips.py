"""Sign outcome slips (`docs/protocols.md` §3): all outcomes of one application at one moment.

The vault sends what the slip says, and refuses a slip without this signature.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lottery.draw.rules.result import Result
from services.lottery.keys import LotteryKeys
from services.lottery.record.passes import make_pass, write_pass
from shared.campaign import Campaign
from shared.canonical import canonical
from shared.codes import EntryId
from shared.contracts import SLIP_CONTEXT, OutcomeSlip, SlipOutcome
from shared.ids import CampaignId, ClassId, DrawId, Receipt, Token
from shared.json_types import JsonObject

_CHANGES_OF_DRAW: Final = 1_000_000
"""Numbers of a draw's slips; the next draw's are higher."""

FURTHER_RESULT: Final = 1
"""Number of the change that a further round's result is: its slips tell of places that changed, later ones follow."""

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
        return self.number(self.draw_number, self.change)

    @staticmethod
    def number(draw_number: int, change: int) -> int:
        """Return the number of the slip of a change after a draw."""
        return draw_number * _CHANGES_OF_DRAW + change


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
        outcomes = [_set_members(outcome) for outcome in result.outcomes]
        return OutcomeSlip.model_validate_json(
            self.write(issue, result.entry, result.receipt, result.token, outcomes), strict=True
        )

    def write(
        self, issue: SlipIssue, entry: EntryId, receipt: Receipt, token: Token, outcomes: Sequence[JsonObject]
    ) -> bytes:
        """Return the signed slip as JSON. `outcomes`: their members as in the slip, none of them null.

        The signed bytes are written once and serve as the JSON too: the signature is added at their end.
        """
        signing = self._keys.signing
        unsigned = canonical({
            "v": 2,
            "campaign": issue.campaign,
            "draw": issue.draw,
            "n": issue.n,
            "token": token,
            "receipt": receipt,
            "entry": entry,
            "issued_at": issue.at.isoformat(),
            "outcomes": list(outcomes),
            "passes": self._passes(issue.campaign, entry, outcomes),
            "key": signing.name,
        })  # fmt: skip
        signature = signing.sign(SLIP_CONTEXT.encode("ascii") + b"\x00" + unsigned)
        return b'%s,"signature":"%s"}' % (unsigned[:-1], signature.encode("ascii"))

    def _passes(self, campaign: CampaignId, entry: EntryId, outcomes: Sequence[JsonObject]) -> list[JsonObject]:
        return [
            {
                "class_id": outcome["class_id"],
                "code": self.write_pass(campaign, entry, outcome["class_id"], outcome["seats"]),
            }
            for outcome in outcomes
            if outcome["outcome"] in _HAS_PASS
        ]


def _set_members(outcome: SlipOutcome) -> JsonObject:
    return {member: value for member, value in outcome if value is not None}
