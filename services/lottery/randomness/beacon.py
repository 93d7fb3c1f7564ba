"""Verification of drand's quicknet: BLS signatures on G1, scheme bls-unchained-g1-rfc9380. Pure.

The message of round r is SHA-256 of r as 8 bytes, big-endian; hashing to the curve follows RFC 9380.
"""

import hashlib
import sys
from functools import lru_cache

_recursion_limit = sys.getrecursionlimit()

from py_ecc.bls.hash_to_curve import hash_to_G1  # noqa: E402
from py_ecc.bls.point_compression import decompress_G1, decompress_G2  # noqa: E402
from py_ecc.optimized_bls12_381 import (  # noqa: E402
    FQ12,
    G2,
    curve_order,
    final_exponentiate,
    is_inf,
    multiply,
    neg,
    pairing,
)

# py_ecc raises the limit to 100,000 calls. Then JSON nested deeply enough ends the process instead of an exception.
sys.setrecursionlimit(_recursion_limit)

_TAG = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


@lru_cache(maxsize=64)
def verify_beacon(signature: str, public_key: str, round_number: int) -> bool:
    """Return True if `signature` (hex, 48 bytes) signs `round_number` by `public_key` (hex, 96 bytes).

    Takes 0.2 s for the first time: relay, entry and transcript ask about one signature each.
    """
    try:
        point = decompress_G1(int(signature, 16))
        key = bytes.fromhex(public_key)
        public = decompress_G2((int.from_bytes(key[:48], "big"), int.from_bytes(key[48:], "big")))
    except ValueError:
        return False
    if is_inf(point) or not is_inf(multiply(point, curve_order)) or not is_inf(multiply(public, curve_order)):
        return False
    message = hashlib.sha256(round_number.to_bytes(8, "big")).digest()
    hashed = hash_to_G1(message, _TAG, hashlib.sha256)
    product = pairing(public, hashed, final_exponentiate=False) * pairing(neg(G2), point, final_exponentiate=False)
    return bool(final_exponentiate(product) == FQ12.one())
