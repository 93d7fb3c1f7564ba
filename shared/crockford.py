"""Crockford base32: what a person can read out over the telephone (no I, L, O, U).

Source: Douglas Crockford, "Base 32" (2002/2019): alphabet, and the check symbol modulo 37.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_SYMBOLS = ALPHABET + "*~$=U"


def encode(data: bytes, length: int) -> str:
    """Return the first `length` symbols (5 bits each, most significant first) of `data`, upper case.

    Bits beyond the data are zero, so 16 bytes (128 bits) give 26 symbols, the last one holding 3 bits.
    """
    bits = int.from_bytes(data, "big") << max(0, length * 5 - len(data) * 8)
    excess = max(0, len(data) * 8 - length * 5)
    bits >>= excess
    return "".join(ALPHABET[(bits >> shift) & 31] for shift in range((length - 1) * 5, -1, -5))


def check_character(symbols: str) -> str:
    """Crockford's check symbol: the number that `symbols` stands for, modulo 37.

    Detects every single wrong symbol and every swap of neighbours. The result may be one of `*~$=U`,
    which are hard to read out; who issues numbers skips those.
    """
    value = 0
    for symbol in symbols:
        value = value * 32 + ALPHABET.index(symbol)
    return CHECK_SYMBOLS[value % 37]
