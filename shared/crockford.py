"""Crockford base32: what a person can read out over the telephone (no I, L, O, U).

Source: Douglas Crockford, "Base 32" (2002/2019): alphabet, and the check symbol modulo 37.
"""

import re
import unicodedata
from typing import Final

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_SYMBOLS = ALPHABET + "*~$=U"

_SEPARATORS: Final = re.compile(r"[\s\ufeff\u200b\u002d\u00ad\u058a\u2010-\u2015\u2043\u2212\u2500\u2501\u30fc\u3161]")
"""Blanks and everything that a keyboard or a copied text puts in the place of a hyphen, after NFKC."""
_LOOKS_LIKE: Final = str.maketrans("OIL", "011")


def encode(data: bytes, length: int) -> str:
    """Return the first `length` symbols (5 bits each, most significant first) of `data`, upper case.

    Bits beyond the data are zero, so 16 bytes (128 bits) give 26 symbols, the last one holding 3 bits.
    """
    bits = int.from_bytes(data, "big") << max(0, length * 5 - len(data) * 8)
    excess = max(0, len(data) * 8 - length * 5)
    bits >>= excess
    return "".join(ALPHABET[(bits >> shift) & 31] for shift in range((length - 1) * 5, -1, -5))


def decode(symbols: str) -> int:
    """Return the number that upper-case symbols stand for. Raises ValueError for another character."""
    value = 0
    for symbol in symbols:
        value = value * 32 + ALPHABET.index(symbol)
    return value


def check_character(symbols: str) -> str:
    """Crockford's check symbol: the number that `symbols` stands for, modulo 37.

    Detects every single wrong symbol and every swap of neighbours. The result may be one of `*~$=U`,
    which are hard to read out; who issues numbers skips those.
    """
    return CHECK_SYMBOLS[decode(symbols) % 37]


def normalise(text: str) -> str:
    """Return typed text as upper-case symbols: NFKC, no blanks or hyphens, `O` as 0, `I` and `L` as 1."""
    plain = unicodedata.normalize("NFKC", text)
    return _SEPARATORS.sub("", plain).upper().translate(_LOOKS_LIKE)
