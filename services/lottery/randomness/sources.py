"""Where chance comes from, and the key K that it makes (`docs/protocols.md` §2, "Randomness"). Pure.

Dice read out before witnesses, a drand beacon, or both; never a fallback, because a fallback is a choice.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.lottery.randomness.beacon import verify_beacon
from shared.campaign import quicknet
from shared.errors import KujiError


class BadRandomness(KujiError):  # noqa: N818  (says what is the case)
    """The digits, the witnesses or the beacon value cannot be used; the text says why."""


@dataclass(frozen=True)
class BeaconRound:
    """A round of drand's quicknet, named in the manifest before it exists; `chain` and `public_key` are hex."""

    chain: str
    public_key: str
    round: int


@dataclass(frozen=True)
class Randomness:
    """What was obtained; None for a source that this draw does not use."""

    dice: str | None = None
    beacon_signature: str | None = None


def check_dice(digits: str, again: str, witnesses: Sequence[str], *, needed: int, witnesses_needed: int) -> str:
    """The digits, when both typings agree and enough digits and witnesses are there. Raises BadRandomness."""
    if digits != again:
        raise BadRandomness("the two typings of the digits differ; read them out and type them again")
    if not re.fullmatch(r"[0-9]+", digits):
        raise BadRandomness("the digits must be 0 to 9 without spaces")
    if len(digits) != needed:
        raise BadRandomness(f"{needed} digits are needed, {len(digits)} were typed")
    if len({name.strip() for name in witnesses if name.strip()}) < witnesses_needed:
        raise BadRandomness(f"{witnesses_needed} different witnesses must be named")
    return digits


def check_beacon(signature: str, beacon: BeaconRound) -> str:
    """The signature (hex of 48 bytes), when it is the quicknet's for that round. BadRandomness.

    Chain and key are pinned: with a key of its own, whoever writes the campaign file would know every "beacon" before.
    """
    if (beacon.chain, beacon.public_key) != (quicknet.CHAIN, quicknet.PUBLIC_KEY):
        raise BadRandomness("the manifest names another beacon than drand's quicknet")
    if not re.fullmatch(r"[0-9a-f]{96}", signature):
        raise BadRandomness("a beacon value is 96 lower-case hex characters")
    if not verify_beacon(signature, beacon.public_key, beacon.round):
        raise BadRandomness(f"this is not the beacon's signature of round {beacon.round}")
    return signature


def draw_key(manifest: str, randomness: Randomness) -> bytes:
    """K, 32 bytes: SHA-256(manifest ‖ LF ‖ digits or empty ‖ LF ‖ beacon signature hex or empty ‖ LF)."""
    text = f"{manifest}\n{randomness.dice or ''}\n{randomness.beacon_signature or ''}\n"
    return hashlib.sha256(text.encode("utf-8")).digest()
