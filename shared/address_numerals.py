"""Read the numbers in the text of an address: kanji numerals, widths, and the boundaries between numbers. Pure.

Two numbers never become one: a blank, a circled digit and a kanji numeral beside a digit are boundaries
(`docs/protocols.md` §4). The address key and the barcode both read through this module.
"""

import re
import unicodedata
from typing import Final

_DIGITS: Final = {kanji: value for value, kanji in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "壱": 1,
    "弐": 2,
    "参": 3,
}
_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "千": 1000}

NUMERALS: Final = "".join((*_DIGITS, *_UNITS))
"""Characters of a kanji numeral, for use inside a regular expression's brackets."""

_COUNTED: Final = re.compile(rf"[{NUMERALS}]+(?=丁目|丁|番地|番|号|地割|線|の|ノ)")
"""Numerals that count something. Source: Japan Post's barcode manual, p18 (抜き出し法)."""

_NUMBER_FORMS: Final = frozenset({"No", "Nl"})
"""Unicode categories of numbers that are no plain digits: ①, ², Ⅲ, ½. The kanji 〇 is one of them, too."""


def read_numeral(kanji: str) -> int:
    """Return the value of a kanji numeral, written by units (二十三) or digit by digit (二〇三)."""
    if not any(character in _UNITS for character in kanji):
        return int("".join(str(_DIGITS[character]) for character in kanji))
    total, digit = 0, 0
    for character in kanji:
        if character in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[character], 0
        else:
            digit = _DIGITS[character]
    return total + digit


def fold_width(text: str) -> str:
    """Return the NFKC form, with a blank on both sides of a number that is no plain digit: NFKC makes 1① to 11."""
    separated = (f" {character} " if _is_number_form(character) else character for character in text)
    return unicodedata.normalize("NFKC", "".join(separated))


def replace_numerals(text: str) -> str:
    """Replace each kanji numeral before 丁目, 番, 号 and so on by digits, with a hyphen after a digit before it."""
    return _COUNTED.sub(_as_digits, text)


def _as_digits(numeral: re.Match[str]) -> str:
    beside_digit = numeral.string[: numeral.start()][-1:].isdigit()
    return f"{'-' if beside_digit else ''}{read_numeral(numeral[0])}"


def _is_number_form(character: str) -> bool:
    return unicodedata.category(character) in _NUMBER_FORMS and character not in NUMERALS
