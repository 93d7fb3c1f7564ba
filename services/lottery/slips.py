"""Sign outcome slips (`docs/protocols.md` §3): all outcomes of one application at one moment.

The vault sends what the slip says, and refuses a slip without this signature.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from json.encoder import encode_basestring
from typing import Final

from services.lottery.draw.rules.result import Result
from services.lottery.keys import BulkSigner, LotteryKeys
from services.lottery.record.passes import make_pass, write_pass
from shared.campaign import Campaign
from shared.canonical import canonical
from shared.codes import EntryId
from shared.contracts import SLIP_CONTEXT, OutcomeSlip, SlipOutcome
from shared.ids import CampaignId, ClassId, DrawId, Receipt, Token
from shared.json_types import JsonObject
from shared.slip_numbers import slip_number

FURTHER_RESULT: Final = 1
"""Number of the change that a further round's result is: its slips tell of places that changed, later ones follow."""

_HAS_PASS: Final = frozenset({"won", "offered"})

_MEMBERS: Final = tuple(member for member in SlipOutcome.model_fields if member != "rank")


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
        return slip_number(draw_number, change)


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
        written = self.writer(issue).write(result.entry, result.receipt, result.token, outcomes)
        return OutcomeSlip.model_validate_json(written, strict=True)

    def writer(self, issue: SlipIssue) -> "SlipWriter":
        """Return the writer of this issue's slips."""
        return SlipWriter(issue, self._keys.bulk, partial(self._passes, issue.campaign))

    def _passes(self, campaign: CampaignId, entry: EntryId, outcomes: Sequence[JsonObject]) -> list[JsonObject]:
        return [
            {
                "class_id": outcome["class_id"],
                "code": self.write_pass(campaign, entry, outcome["class_id"], outcome["seats"]),
            }
            for outcome in outcomes
            if outcome["outcome"] in _HAS_PASS
        ]


class SlipWriter:
    """Writes the signed slips of one issue as JSON: a draw has millions of them.

    Everything that an issue's slips share is written once. The bytes are those of `canonical`, which is the slower way.
    """

    def __init__(
        self,
        issue: SlipIssue,
        signing: BulkSigner,
        passes: Callable[[EntryId, Sequence[JsonObject]], list[JsonObject]],
    ) -> None:
        """Write the shared members. `passes`: passes of an entry with these outcomes."""
        before = {"campaign": issue.campaign, "draw": issue.draw}
        between = {"issued_at": issue.at.isoformat(), "key": signing.name, "n": issue.n}
        self._head, self._middle = _members(before) + ',"entry":', "," + _members(between) + ',"outcomes":['
        self._signing, self._passes = signing, passes
        self._context = SLIP_CONTEXT.encode("ascii") + b"\x00"

    def write(self, entry: EntryId, receipt: Receipt, token: Token, outcomes: Sequence[JsonObject]) -> bytes:
        """Return the signed slip as JSON. `outcomes`: their members as in the slip, none of them null.

        The signed bytes are written once and serve as the JSON too: the signature is added at their end.
        """
        passes = "[]"
        if not _HAS_PASS.isdisjoint([outcome["outcome"] for outcome in outcomes]):
            passes = canonical(self._passes(entry, outcomes)).decode("utf-8")
        written = ",".join([_write_outcome(outcome) for outcome in outcomes])
        unsigned = (
            f"{{{self._head}{encode_basestring(entry)}{self._middle}{written}]"
            f',"passes":{passes},"receipt":{encode_basestring(receipt)},"token":{encode_basestring(token)},"v":2}}'
        ).encode()
        signature = self._signing.sign(self._context + unsigned)
        return b'%s,"signature":"%s"}' % (unsigned[:-1], signature.encode("ascii"))


def _write_outcome(outcome: JsonObject) -> str:
    """Return the canonical JSON of an outcome. Outcomes that differ in `rank` alone are written once."""
    rank = outcome.get("rank")
    if rank is None:
        return canonical(outcome).decode("utf-8")
    head, tail = _around_rank(*[outcome.get(member) for member in _MEMBERS])
    return f"{head}{rank:d}{tail}"


@lru_cache(maxsize=4096)
def _around_rank(*values: str | int | None) -> tuple[str, str]:
    """Return the canonical JSON of an outcome with these `_MEMBERS`, before and after its rank."""
    members = {member: value for member, value in zip(_MEMBERS, values, strict=True) if value is not None}
    before = {member: value for member, value in members.items() if member < "rank"}
    after = {member: value for member, value in members.items() if member > "rank"}
    return f'{{{_members(before)},"rank":', f",{_members(after)}}}"


def _members(members: JsonObject) -> str:
    """Return the canonical JSON of an object without its braces."""
    return canonical(members).decode("utf-8")[1:-1]


def _set_members(outcome: SlipOutcome) -> JsonObject:
    return {member: value for member, value in outcome if value is not None}
