"""Sources of randomness, and the draw key K (`docs/protocols.md` §2, "Randomness"). Pure.

The value of a drand beacon is in every draw; digits that witnesses entered before its round may stand beside it. There
is no fallback, because a fallback would be a choice.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from services.lottery.randomness.beacon import verify_beacon
from shared.campaign import quicknet
from shared.campaign.beacon_schedule import REHEARSAL, schedule_of
from shared.errors import KujiError


class InvalidRandomnessError(KujiError):
    """Raised when a beacon value cannot be used; the text says why."""


@dataclass(frozen=True)
class BeaconRound:
    """Round of drand's quicknet, named in the manifest before it exists; `chain` and `public_key` are hex.

    A rehearsal may have a chain of its own, with `genesis` and `period`.
    """

    chain: str
    public_key: str
    round: int
    genesis: int | None = None
    period: int | None = None

    @property
    def is_own_chain(self) -> bool:
        """True for a rehearsal's chain. The owner of its key knows every value, so the draw proves nothing."""
        return self.chain == REHEARSAL

    @property
    def at(self) -> datetime:
        """Time at which the round is published."""
        return schedule_of(self.genesis, self.period).time_of(self.round)


@dataclass(frozen=True)
class Randomness:
    """Obtained values; None for a source that the draw does not use."""

    dice: str | None = None
    beacon_signature: str | None = None


def check_beacon(signature: str, beacon: BeaconRound) -> str:
    """Return the signature (hex of 48 bytes) if it is the quicknet's for that round. Raises InvalidRandomnessError.

    Chain and key are pinned: with a key of their own, the authors of a campaign file would know every "beacon" before.
    Only the manifest of a rehearsal may name another chain (`Manifest.read`).
    """
    if not beacon.is_own_chain and (beacon.chain, beacon.public_key) != (quicknet.CHAIN, quicknet.PUBLIC_KEY):
        raise InvalidRandomnessError("the manifest names another beacon than drand's quicknet")
    if not re.fullmatch(r"[0-9a-f]{96}", signature):
        raise InvalidRandomnessError("a beacon value is 96 lower-case hex characters")
    if not verify_beacon(signature, beacon.public_key, beacon.round):
        raise InvalidRandomnessError(f"this is not the beacon's signature of round {beacon.round}")
    return signature


def draw_key(manifest: str, randomness: Randomness) -> bytes:
    """Compute K, 32 bytes: SHA-256(manifest ‖ LF ‖ digits or empty ‖ LF ‖ beacon signature hex or empty ‖ LF)."""
    text = f"{manifest}\n{randomness.dice or ''}\n{randomness.beacon_signature or ''}\n"
    return hashlib.sha256(text.encode("utf-8")).digest()
