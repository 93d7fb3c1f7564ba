"""The numbers of an address that its barcode carries. Pure.

Source: Japan Post's barcode manual, pages p17–p22 (抜き出し法); `docs/protocols.md` §4. Japan Post cuts the address
after the name of the town (町域名): what stands before has the postal code, what stands after has the numbers.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_DIGITS: Final = {kanji: value for value, kanji in enumerate("〇一二三四五六七八九")}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_KANJI_NUMBER: Final = re.compile(r"[〇一二三四五六七八九十百千]+(?=丁目|丁|番地|番|号|地割|線|の|ノ)")

_HYPHENS: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−─━", "-"))
_LONG_MARK_BETWEEN_NUMBERS: Final = re.compile(r"(?<=[0-9A-Z])ー(?=[0-9A-Z])")
_REMOVED: Final = re.compile(r"[&/・.]")
_WORD: Final = re.compile(r"[A-Z]{2,}")
_FLOOR: Final = re.compile(r"(?<=[0-9])F")
_REST: Final = re.compile(r"[^0-9A-Z-]+")
_RUN_OF_HYPHENS: Final = re.compile(r"-{2,}")
_HYPHEN_BESIDE_LETTER: Final = re.compile(r"-(?=[A-Z])|(?<=[A-Z])-")

_TOWN_VARIANTS: Final = str.maketrans({"ヶ": "ケ", "が": "ケ", "ガ": "ケ", "之": "ノ", "の": "ノ"})
"""What people write either way within the name of a town; one character for one, so that places stay the same."""


def extract(after_town: str) -> str:
    """Digits, single letters and hyphens of what follows the town's name; empty where it holds no number.

    Not cut to 13: a letter counts twice there, which `barcode.values` knows.
    """
    text = unicodedata.normalize("NFKC", after_town).upper().translate(_HYPHENS)
    text = _LONG_MARK_BETWEEN_NUMBERS.sub("-", _REMOVED.sub("", text))
    text = _KANJI_NUMBER.sub(lambda found: str(number(found[0])), text)
    text = _FLOOR.sub("-", _WORD.sub("-", text))
    text = _RUN_OF_HYPHENS.sub("-", _REST.sub("-", text)).strip("-")
    return _HYPHEN_BESIDE_LETTER.sub("", text)


def number(kanji: str) -> int:
    """A number in kanji, by units (二十三) or digit by digit (二〇三)."""
    if not any(each in _UNITS for each in kanji):
        return int("".join(str(_DIGITS[each]) for each in kanji))
    total, digit = 0, 0
    for each in kanji:
        if each in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[each], 0
        else:
            digit = _DIGITS[each]
    return total + digit


def after_town(address: str, city: str, towns: Iterable[str]) -> str:
    """What follows the town's name, or else the city's; the whole address where it names neither.

    `towns` are the names that share the postal code; the longest that occurs counts.
    """
    text = unicodedata.normalize("NFKC", address).replace(" ", "")
    rest = text[text.find(city) + len(city) :] if city in text else text
    folded = rest.translate(_TOWN_VARIANTS)
    for town in sorted(towns, key=len, reverse=True):
        at = folded.find(unicodedata.normalize("NFKC", town).translate(_TOWN_VARIANTS))
        if town and at >= 0:
            return rest[at + len(unicodedata.normalize("NFKC", town)) :]
    return rest
