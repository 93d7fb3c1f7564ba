"""Describe the order of a further round as a frozen record, read from its document. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from services.lottery.rules import Scope
from shared.ids import DrawId


@dataclass(frozen=True)
class FurtherRound:
    """Order of a further round: a draw over the seats that stayed free in the draws `rounds`, oldest first.

    `manifest_sha256` and `history_sha256`: hashes of the manifest and of the last event of the last of these draws.
    `scope`: who takes part. `free`: seats to be drawn by class.
    """

    rounds: tuple[DrawId, ...]
    manifest_sha256: str
    history_sha256: str
    scope: Scope
    free: Mapping[str, int]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        return cls(**{**document, "rounds": tuple(document["rounds"])})
