"""Describe the outcomes of one application, from the draw or after a change of its places, as a frozen record. Pure."""

from dataclasses import dataclass

from shared.codes import EntryId
from shared.contracts import SlipOutcome
from shared.ids import Receipt, Token


@dataclass(frozen=True)
class Result:
    """Outcomes of one application: one for each class that it asked for, refused classes included."""

    entry: EntryId
    receipt: Receipt
    token: Token
    outcomes: tuple[SlipOutcome, ...]
