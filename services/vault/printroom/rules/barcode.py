"""Draw Japan Post's customer barcode: 67 bars that carry the postal code and the numbers of an address. Pure.

Source: Japan Post's barcode manual (郵便番号・バーコードマニュアル), pages p11–p16; `docs/protocols.md` §4.
"""

from collections.abc import Sequence
from typing import Final

CC1: Final = 11
CC4: Final = 14

_HYPHEN: Final = 10
_ADDRESS_LENGTH: Final = 13
_MODULUS: Final = 19
_START, _STOP = "13", "31"

# One entry per value 0–18: digits, hyphen, CC1–CC8. 1 long, 2 upper half, 3 lower half, 4 timing.
_BARS: Final = (
    "144", "114", "132", "312", "123", "141", "321", "213", "231", "411",
    "414",
    "324", "342", "234", "432", "243", "423", "441", "111",
)  # fmt: skip

_LETTERS: Final = str.maketrans("1234", "FADT")
"""Letters for bars: full, ascending, descending, timing."""


def values(postal_code: str, numbers: str) -> tuple[int, ...]:
    """Return the 20 values before the check: 7 of the postal code, 13 of the address numbers, filled up with CC4.

    A letter takes two values; where only its control code fits, that stays alone. `numbers` holds digits,
    capital letters and hyphens only; empty for an office's own code (大口事業所). ValueError, without the input,
    for anything else.
    """
    if len(postal_code) != 7 or not (postal_code.isascii() and postal_code.isdigit()):  # noqa: PLR2004  (the code's length)
        raise ValueError("a postal code is seven digits")
    address = [value for character in numbers for value in _character(character)][:_ADDRESS_LENGTH]
    filling = [CC4] * (_ADDRESS_LENGTH - len(address))
    return (*(int(digit) for digit in postal_code), *address, *filling)


def check(body: Sequence[int]) -> int:
    """Return the value that makes the sum a multiple of 19."""
    return -sum(body) % _MODULUS


def bars(postal_code: str, numbers: str) -> str:
    """Return the 67 bars, left to right: F long, A upper half, D lower half, T timing."""
    body = values(postal_code, numbers)
    drawn = "".join(_BARS[value] for value in (*body, check(body)))
    return f"{_START}{drawn}{_STOP}".translate(_LETTERS)


def _character(character: str) -> tuple[int, ...]:
    """Return a character's values. Digits stand for themselves; A–J, K–T and U–Z are a control code and a digit."""
    if character == "-":
        return (_HYPHEN,)
    if "0" <= character <= "9":
        return (int(character),)
    if "A" <= character <= "Z":
        control, digit = divmod(ord(character) - ord("A"), 10)
        return (CC1 + control, digit)
    raise ValueError("only digits, capital letters and hyphens can be bars")
