"""Fold characters that one person may write either way: a table of variants, as match keys only. Pure.

The table comes inside the package ja-itaiji (from public tables of 異体字). It is wide, so it only finds candidates,
which a person compares; it never decides, and nothing that it folds is printed.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from ja_itaiji import Itaiji

from services.vault.applications.rules.normalise import VARIANTS

_FIRST_COMMON: Final = 0xB0A1
_LAST_COMMON: Final = 0xCFD3
"""First and last character of level 1 of JIS X 0208 in EUC-JP: the common kanji. Source: JIS X 0208:1997, 6.1."""

_ADDED: Final = {
    "𣘺": "橋", "槗": "橋", "𠮷": "吉", "壹": "壱", "寬": "寛", "辭": "辞", "獸": "獣", "遞": "逓",
    "貳": "弐", "默": "黙", "禮": "礼", "贊": "賛", "搜": "捜", "總": "総", "鬪": "闘", "竝": "並",
    "栁": "柳", "桒": "桑", "舩": "船", "𡈽": "土", "圡": "土", "﨔": "欅", "靍": "鶴", "靏": "鶴",
}  # fmt: skip
"""Forms in names that the package lacks or leads to another common character first."""

_COMMON_PAIRS: Final = (
    "桧檜 島嶋 峰峯 竜龍 滝瀧 野埜 富冨 曽曾 館舘 園薗 秋穐 柏栢 灯燈 荘庄 湧涌 頴穎 祢禰 渕淵 槙槇 坂阪 "
    "梅楳 杯盃 尽侭 薮藪"
)
"""Pairs of common kanji of which names have either form; the first stands for both."""


def _common_code(character: str) -> int | None:
    """Return the place of a common kanji in JIS X 0208, None for any other character."""
    try:
        encoded = character.encode("euc_jp")
    except UnicodeEncodeError:
        return None
    code = int.from_bytes(encoded, "big")
    return code if _FIRST_COMMON <= code <= _LAST_COMMON else None


def _neighbours(families: Mapping[str, list[str]]) -> dict[str, set[str]]:
    """Return each character's variants in both directions; the package has some in one direction only."""
    found: dict[str, set[str]] = defaultdict(set)
    for character, family in families.items():
        for other in family:
            if other != character and len(other) == 1:
                found[character].add(other)
                found[other].add(character)
    return found


def fold_table(families: Mapping[str, list[str]]) -> dict[int, str]:
    """Return code point → representative: for each rare character a common one of its family, the first by JIS.

    Two common kanji become one only where `_COMMON_PAIRS` says so: in the table 田 and 佃 are a family, too.
    """
    neighbours = _neighbours(families)
    codes = {one: code for one in neighbours if (code := _common_code(one)) is not None}
    table: dict[str, str] = {}
    for one in neighbours.keys() - codes.keys():
        near = [other for other in neighbours[one] if other in codes]
        if near:
            table[one] = min(near, key=codes.__getitem__)
    own = {chr(key): str(value) for key, value in VARIANTS.items()} | _ADDED
    own |= {pair[1]: pair[0] for pair in _COMMON_PAIRS.split()}
    table |= own
    return {ord(one): own.get(to, to) for one, to in table.items()}


FOLDED: Final = fold_table(Itaiji.dictionary)
"""Code point → representative, for `str.translate`: nearly 6,000 characters."""


def fold_characters(text: str) -> str:
    """Return the text with each variant replaced by its representative, and 々 by the character before it."""
    written: list[str] = []
    for character in text.translate(FOLDED):
        written.append(written[-1] if character == "々" and written else character)
    return "".join(written)
