"""Transcript: everything that is needed to check a draw, in one signed file (`docs/protocols.md` §2). Pure.

Members are those of the protocol, and `signing_key`: the public key (Ed25519, base64url) of both signatures, so that
the file can be checked by itself. A reader compares the key with the published one to know its owner.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.lottery.allocation.allocator import Allocation
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.randomness.sources import Randomness
from shared.canonical import canonical
from shared.signing import SigningKey

VERSION: Final = 2

FIRST_PREV = "0" * 64

INLINE_ROWS: Final = 200_000
"""Largest number of rows inside the transcript: a browser still opens a file of 12 MB."""

ROWS_FILE: Final = "rows.txt"

MEMBERS: Final = frozenset(
    [
        "v",
        "manifest",
        "signature",
        "rows",
        "dice",
        "dice_acts",
        "dice_evidence",
        "beacon_signature",
        "key",
        "winners",
        "waiting",
        "history",
        "signing_key",
        "signature_of_result",
    ]
)


FURTHER_MEMBERS: Final = MEMBERS | {"places"}
"""Members of a further round's transcript: `places` is the text of the places that it took over."""


def make_history_event(
    kind: str, at: datetime, before: Mapping[str, Any] | None, reason: str = "", **facts: Any
) -> Mapping[str, Any]:
    """Return the next event of the hash chain; `prev` is the SHA-256 (hex) of the event `before`.

    An event contains no person and no free text. `facts`: members of its kind (`services.lottery.promotion.history`).
    """
    prev = FIRST_PREV if before is None else hashlib.sha256(canonical(before)).hexdigest()
    return {"event": kind, "at": at.isoformat(), "reason": reason, "prev": prev, **facts}


def is_hash_chain(history: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if each event contains the hash of the one before."""
    prev = FIRST_PREV
    for event in history:
        if event.get("prev") != prev:
            return False
        prev = hashlib.sha256(canonical(event)).hexdigest()
    return True


def write_transcript(
    *,
    manifest: str,
    signature: str,
    frozen: FrozenList,
    randomness: Randomness,
    acts: Sequence[Mapping[str, Any]],
    evidence: Sequence[str],
    key: bytes,
    allocation: Allocation,
    history: Sequence[Mapping[str, Any]],
    signing: SigningKey,
    places: str | None = None,
) -> Mapping[str, Any]:
    """Return the signed transcript. Up to `INLINE_ROWS` rows are inside it; else `rows` names their file.

    `acts`: of the witnesses, in the order of their digits. `places`: text of the places that a further round took over.
    """
    inline = len(frozen) <= INLINE_ROWS
    content = {
        "v": VERSION,
        "manifest": manifest,
        "signature": signature,
        "rows": "".join(frozen.texts()) if inline else ROWS_FILE,
        "dice": randomness.dice,
        "dice_acts": [dict(act) for act in acts],
        "dice_evidence": list(evidence),
        "beacon_signature": randomness.beacon_signature,
        "key": key.hex(),
        "winners": {name: frozen.hex_ids(won) for name, won in allocation.winners.items()},
        "waiting": {name: frozen.hex_ids(waits) for name, waits in allocation.waiting.items()},
        "history": list(history),
        "signing_key": signing.public,
    }
    if places is not None:
        content["places"] = places
    return sign_transcript(content, signing)


def sign_transcript(content: Mapping[str, Any], signing: SigningKey) -> Mapping[str, Any]:
    """Return the transcript with `signature_of_result`. `content`: its other members."""
    return {**content, "signature_of_result": signing.sign(canonical(content))}
