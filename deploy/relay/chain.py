"""Chain of a rehearsal: quicknet's scheme (bls-unchained-g1-rfc9380) with a key of its own (`docs/spec/draw-2.md` §5).

The owner of the key knows the value of every round, so a draw by this chain proves nothing.
"""

import hashlib
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.campaign.beacon_schedule import REHEARSAL, Schedule
from shared.errors import ConfigurationError
from shared.files import create_once
from shared.json_types import JsonObject

_recursion_limit = sys.getrecursionlimit()

from py_ecc.bls.hash_to_curve import hash_to_G1  # noqa: E402
from py_ecc.bls.point_compression import compress_G1, compress_G2  # noqa: E402
from py_ecc.optimized_bls12_381 import G2, curve_order, multiply  # noqa: E402

# py_ecc raises the limit to 100,000 calls, as for the lottery (`services.lottery.randomness.beacon`).
sys.setrecursionlimit(_recursion_limit)

_TAG: Final = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_KEY_BYTES: Final = 32


class RelayKey:
    """BLS key of a relay: a secret number below the order of the curve."""

    def __init__(self, secret: int) -> None:
        self._secret = secret

    @classmethod
    def create_once(cls, path: Path) -> "RelayKey":
        """Return the key in the file; make it where there is none. Raises ConfigurationError for another content."""
        content = create_once(path, _new_secret)
        secret = int.from_bytes(content, "big")
        if len(content) != _KEY_BYTES or not 0 < secret < curve_order:
            raise ConfigurationError(f"{path.name} is no key of a relay; remove the file, and a new key is made")
        return cls(secret)

    @property
    def public(self) -> str:
        """Public key on G2, compressed, 96 bytes in hex."""
        upper, lower = compress_G2(multiply(G2, self._secret))
        return bytes(upper.to_bytes(48, "big") + lower.to_bytes(48, "big")).hex()

    def sign(self, round_number: int) -> str:
        """Return the value of a round: its signature on G1, compressed, 48 bytes in hex. Takes 0.1 s."""
        message = hashlib.sha256(round_number.to_bytes(8, "big")).digest()
        signature = int(compress_G1(multiply(hash_to_G1(message, _TAG, hashlib.sha256), self._secret)))
        return signature.to_bytes(48, "big").hex()


def write_beacon_member(key: RelayKey, schedule: Schedule, round_number: int) -> JsonObject:
    """Return the member `beacon` of a rehearsal's campaign file and manifest."""
    return {"chain": REHEARSAL, "public_key": key.public, "round": round_number, **vars(schedule)}


def write_answer(key: RelayKey, round_number: int) -> Mapping[str, str | int]:
    """Return the answer of drand's API for a round."""
    signature = key.sign(round_number)
    randomness = hashlib.sha256(bytes.fromhex(signature)).hexdigest()
    return {"round": round_number, "randomness": randomness, "signature": signature}


def _new_secret() -> bytes:
    return (1 + secrets.randbelow(curve_order - 1)).to_bytes(_KEY_BYTES, "big")
