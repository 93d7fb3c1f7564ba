"""The transcript: everything that is needed to check a draw, in one signed file (`docs/protocols.md` §2). Pure.

Members are those of the protocol, and `signing_key`: the public key (Ed25519, base64url) of both signatures, so that
the file can be checked by itself; who wants to know *whose* key it is compares it with the published one.
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

FIRST = "0" * 64

INLINE_ROWS: Final = 200_000
"""Rows up to here stand in the transcript itself; a file of 12 MB is still one that a browser opens."""

ROWS_FILE: Final = "rows.txt"

MEMBERS: Final = frozenset(
    [
        "v",
        "manifest",
        "signature",
        "rows",
        "dice",
        "witnesses",
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


def history_event(
    kind: str, at: datetime, before: Mapping[str, Any] | None, reason: str = "", **facts: Any
) -> dict[str, Any]:
    """The next event of the hash chain; `prev` is the SHA-256 (hex) of the one before. No person, no free text.

    `facts`: what this kind of event says besides (`services.lottery.promotion.history`).
    """
    prev = FIRST if before is None else hashlib.sha256(canonical(before)).hexdigest()
    return {"event": kind, "at": at.isoformat(), "reason": reason, "prev": prev, **facts}


def history_holds(history: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each event holds the hash of the one before."""
    prev = FIRST
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
    witnesses: Sequence[str],
    evidence: Sequence[str],
    key: bytes,
    allocation: Allocation,
    history: Sequence[Mapping[str, Any]],
    signing: SigningKey,
) -> dict[str, Any]:
    """The signed transcript: rows inline where they are few enough to be read in one piece, else their file's name."""
    inline = len(frozen) <= INLINE_ROWS
    content = {
        "v": 1,
        "manifest": manifest,
        "signature": signature,
        "rows": "".join(frozen.texts()) if inline else ROWS_FILE,
        "dice": randomness.dice,
        "witnesses": list(witnesses),
        "dice_evidence": list(evidence),
        "beacon_signature": randomness.beacon_signature,
        "key": key.hex(),
        "winners": {name: frozen.hex_ids(won) for name, won in allocation.winners.items()},
        "waiting": {name: frozen.hex_ids(waits) for name, waits in allocation.waiting.items()},
        "history": list(history),
        "signing_key": signing.public,
    }
    return signed(content, signing)


def signed(content: Mapping[str, Any], signing: SigningKey) -> dict[str, Any]:
    """A transcript with its `signature_of_result`; `content` is without."""
    return {**content, "signature_of_result": signing.sign(canonical(content))}
