"""Extract the numbers of an address that its barcode carries. Pure.

Source: Japan Post's barcode manual, pages p17–p22 (抜き出し法); `docs/protocols.md` §4. Japan Post cuts the address
after the name of the town (町域名): the postal code says what stands before, the barcode carries the numbers after.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.address_numerals import NUMERALS, fold_width, read_numeral, replace_numerals

_HYPHENS: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−─━", "-"))
_LONG_MARK_BETWEEN_NUMBERS: Final = re.compile(r"(?<=[0-9A-Z])ー(?=[0-9A-Z])")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=[0-9])[&/・.]+(?=[0-9])")
_REMOVED: Final = re.compile(r"[&/・.]")
_WORD: Final = re.compile(r"[A-Z]{2,}")
_FLOOR: Final = re.compile(r"(?<=[0-9])F")
_REST: Final = re.compile(r"[^0-9A-Z-]+")
_RUN_OF_HYPHENS: Final = re.compile(r"-{2,}")
_HYPHEN_BESIDE_LETTER: Final = re.compile(r"-(?=[A-Z])|(?<=[A-Z])-")

_TOWN_VARIANTS: Final = str.maketrans({"ヶ": "ケ", "が": "ケ", "ガ": "ケ", "之": "ノ", "の": "ノ"})
"""Spellings that people exchange within the name of a town."""

_TOKENS: Final = (re.compile(rf"[0-9]+|[{NUMERALS}]+|\S"), re.compile(r"[0-9]+|\S"))
"""Names are compared with whole numerals first; by characters where a numeral of the town meets one of the address."""

_POSTAL_CODE: Final = re.compile(r"^\s*〒?\s*[0-9]{3}-?[0-9]{4}(?![0-9-])")
_COUNTY: Final = re.compile(r"^.{1,4}郡(?=.+[町村]$)")
_HOUSE_NUMBER: Final = re.compile(r"[0-9]+(?![0-9]*条)")
"""A number that ends the names of an address: the same name after it belongs to a building. 条 is part of names."""


@dataclass(frozen=True)
class _Token:
    """A character or a whole number of an address, and its position in the text."""

    folded: str
    start: int
    end: int


def extract(after_town: str) -> str:
    """Return digits, single letters and hyphens of the text after the town's name; empty if it holds no number.

    The result is not cut to 13 characters: a letter counts twice there, which `barcode.values` handles.
    """
    text = fold_width(after_town).upper().translate(_HYPHENS)
    text = _REMOVED.sub("", _BETWEEN_DIGITS.sub("-", text))
    text = replace_numerals(_LONG_MARK_BETWEEN_NUMBERS.sub("-", text))
    text = _FLOOR.sub("-", _WORD.sub("-", text))
    text = _RUN_OF_HYPHENS.sub("-", _REST.sub("-", text)).strip("-")
    return _HYPHEN_BESIDE_LETTER.sub("", text)


def after_town(address: str, city: str, towns: Iterable[str]) -> str:
    """Return the text after the town's name, or else after the city's; the whole address if it names neither.

    `towns` are the names that share the postal code; the longest that occurs counts. Blanks, widths and the way a
    number is written (北24条西, 北二十四条西) make no difference to a name.
    """
    text = _POSTAL_CODE.sub("", fold_width(address))
    rest = _after_first(text, (city, _COUNTY.sub("", city)))
    found = _after_first(rest, sorted(towns, key=len, reverse=True))
    return found.strip()


def _after_first(text: str, names: Sequence[str]) -> str:
    """Return the text after the first of `names` that occurs in it; the whole text if none does."""
    for pattern in _TOKENS:
        tokens = _tokens(text, pattern)
        for name in names:
            end = _end_of(tokens, [token.folded for token in _tokens(fold_width(name), pattern)], text)
            if end is not None:
                return text[end:]
    return text


def _end_of(tokens: Sequence[_Token], name: Sequence[str], text: str) -> int | None:
    """Return the position after the first occurrence of `name` before a house number; None if there is none."""
    for first in range(len(tokens) - len(name) + 1) if name else ():
        part = tokens[first : first + len(name)]
        if _HOUSE_NUMBER.search(text[: part[0].start]):
            return None
        if [token.folded for token in part] == name:
            return part[-1].end
    return None


def _tokens(text: str, pattern: re.Pattern[str]) -> list[_Token]:
    return [_Token(_folded(found[0]), *found.span()) for found in pattern.finditer(text)]


def _folded(token: str) -> str:
    if token[0] in NUMERALS:
        return str(read_numeral(token))
    return token.translate(_TOWN_VARIANTS)
