"""Describe the outcomes of one application, from the draw or after a change of its places, as a frozen record. Pure."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.codes import EntryId
from shared.contracts import SlipOutcome
from shared.ids import Receipt, Token
from shared.json_types import JsonObject

_PLACES: Final = frozenset({"won", "waiting"})


@dataclass(frozen=True)
class Result:
    """Outcomes of one application: one for each class that it asked for, refused classes included."""

    entry: EntryId
    receipt: Receipt
    token: Token
    outcomes: tuple[SlipOutcome, ...]


class DrawnResult(NamedTuple):
    """Outcomes of one entry as a slip writes them: plain objects, because a draw has millions of them."""

    entry: EntryId
    receipt: Receipt
    token: Token
    outcomes: list[JsonObject]

    @property
    def has_place(self) -> bool:
        """True if the entry holds or waits for a class."""
        return any(outcome["outcome"] in _PLACES for outcome in self.outcomes)

    def to_result(self) -> Result:
        """Return the result with typed outcomes."""
        outcomes = tuple(SlipOutcome.model_validate(outcome) for outcome in self.outcomes)
        return Result(self.entry, self.receipt, self.token, outcomes)
