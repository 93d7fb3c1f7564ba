"""Member `further` of a further round's manifest, and commitments to texts (`docs/spec/draw-2.md` §15). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from services.lottery.rules import Scope


@dataclass(frozen=True)
class Receipts:
    """Commitment to a text, as to the roll of receipts: number of its lines, and its Merkle root (hex)."""

    count: int
    root: str


@dataclass(frozen=True)
class Further:
    """Facts of a further round (`docs/spec/draw-2.md` §15).

    `continues`: draw whose places stand; `manifest_sha256` and `history_sha256`: hashes of its manifest and of its last
    event. `places`: commitment to the places that it leaves. `free`: seats to be drawn by class; `extra`: seats that
    corrections added before.
    """

    scope: Scope
    continues: str
    manifest_sha256: str
    history_sha256: str
    places: Receipts
    free: Mapping[str, int]
    extra: Mapping[str, int]

    def to_member(self) -> Mapping[str, Any]:
        """Return the manifest's member."""
        return {**vars(self), "places": vars(self.places)}


def read_further(content: Mapping[str, Any]) -> Further | None:
    """Return the facts of a further round; None for any other draw. Raises ValueError if it continues no draw."""
    member = content.get("further")
    if member is None:
        return None
    if content["previous"] is None or member["scope"] not in get_args(Scope):
        raise ValueError("a further round names the draw that it continues, and who takes part")
    return Further(**{**member, "places": Receipts(**member["places"])})
