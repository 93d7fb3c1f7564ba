"""Facts of the vault's register about one applicant. Pure."""

from dataclasses import dataclass

from shared.contracts import Choice, Refusal
from shared.ids import Receipt


@dataclass(frozen=True, repr=False)
class Registered:
    """Facts of one application as the vault's register has them. `reasons` are against the whole application."""

    receipt: Receipt
    name: str
    reasons: tuple[str, ...]
    refused: tuple[Refusal, ...]
    choices: tuple[Choice, ...]
    version: int
