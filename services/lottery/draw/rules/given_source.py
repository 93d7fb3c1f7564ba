"""Records of where a draw's randomness came from, and of relays that gave none. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True)
class GivenSource:
    """A source of randomness that was entered: `dice` or `beacon_signature`, by which actor and when.

    The actor of dice is the witnesses' roles, joined by `+`.
    """

    source: str
    actor: str
    at: datetime

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        return cls(document["source"], document["actor"], datetime.fromisoformat(document["at"]))

    def to_document(self) -> Mapping[str, Any]:
        """Return the document that `from_document` reads."""
        return {"source": self.source, "actor": self.actor, "at": self.at.isoformat()}


@dataclass(frozen=True)
class RelayTrouble:
    """Reason why a drand relay gave no value; `relay` is its host."""

    relay: str
    trouble: str
