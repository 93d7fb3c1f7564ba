"""Facts of the vault's register about one applicant. Pure."""

from dataclasses import dataclass

from shared.contracts import Choice, Refusal
from shared.ids import Receipt


@dataclass(frozen=True, repr=False)
class Registered:
    """Facts of one application as the vault's register has them. `reasons` are against the whole application.

    `is_same_person`: after the draw, and another application of the person stands that gave the same address.
    `is_undecided`: after the draw, from which it was left out because of a doubt that nobody had decided.
    """

    receipt: Receipt
    name: str
    reasons: tuple[str, ...]
    refused: tuple[Refusal, ...]
    choices: tuple[Choice, ...]
    version: int
    is_same_person: bool = False
    is_undecided: bool = False
