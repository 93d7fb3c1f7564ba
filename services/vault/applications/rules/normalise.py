"""One form for what people type in many: for display, and for comparing. Pure.

Display keeps every character of a name as it is and only widens or narrows forms (half-width kana, full-width
digits). Comparison folds further: variant characters, kana, hyphens, spaces. NFKC alone does neither: it leaves
髙 and 﨑 and most hyphens, and on kanji it may replace a character of somebody's name.
"""

import re
import unicodedata

import jaconv

HYPHENS = "-‐‑‒–—―−－ｰー─━"
"""What stands for a hyphen between numbers, the long vowel mark included: people type what the key gives."""

_WIDE_FORMS = re.compile(r"[\uff01-\uffee\u3000\u00a0]+")
_BETWEEN_NUMBERS = re.compile(rf"(?<=[0-9A-Za-z])\s*[{re.escape(HYPHENS)}]\s*(?=[0-9A-Za-z])")
_SPACES = re.compile(r"\s+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variation selectors: which drawing of a character is meant. Kept for display, no difference for comparing."""
_PREFECTURE = re.compile(r"^(?:東京都|北海道|(?:京都|大阪)府|.{2,3}県)(?=.)")
_KANJI_NUMBER = re.compile(r"[〇一二三四五六七八九十]+(?=丁目|番|号)")
_KANJI_DIGITS = str.maketrans("〇一二三四五六七八九", "0123456789", "十")
_ADDRESS_WORDS = re.compile(r"(?<=\d)(?:丁目|番地の|番地|番|号室|号棟|号|室|の(?=\d))")
_HYPHEN_RUN = re.compile(rf"[{re.escape(HYPHENS)}]+")
_NOT_BEFORE_NUMBER = re.compile(r"-(?!\d)")
_PHONE_FILLERS = re.compile(rf"[\s()\[\]./・{re.escape(HYPHENS)}]+")
_POSTAL_FILLERS = re.compile(rf"[\s〒{re.escape(HYPHENS)}]+")

VARIANTS = str.maketrans(
    {
        "髙": "高", "﨑": "崎", "嵜": "崎", "邉": "辺", "邊": "辺", "𠮷": "吉", "濵": "浜", "濱": "浜", "齋": "斎",
        "齊": "斎", "斉": "斎", "澤": "沢", "廣": "広", "國": "国", "嶋": "島", "嶌": "島", "眞": "真", "惠": "恵",
        "德": "徳", "栁": "柳", "桒": "桑", "兒": "児", "瀨": "瀬", "曾": "曽", "龍": "竜", "萬": "万", "與": "与",
        "ヶ": "ケ", "ヵ": "カ", "彌": "弥", "壽": "寿", "榮": "栄", "櫻": "桜", "冨": "富", "淵": "渕", "槇": "槙",
    }
)  # fmt: skip
"""Characters that the same person may write either way. Only for comparing, never for what is printed."""


def display(text: str) -> str:
    """Width made even (kana and Japanese marks full, Latin and digits half), spaces single, ends trimmed."""
    even = _WIDE_FORMS.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    return _SPACES.sub(" ", even).strip()


def display_address(text: str) -> str:
    """As `display`, with every hyphen between numbers the plain one."""
    return _BETWEEN_NUMBERS.sub("-", display(text))


def phone(text: str) -> str:
    """National form without what people put between the digits: +81 3 … and (03) … become 03…. Else as it stands."""
    plain = _PHONE_FILLERS.sub("", unicodedata.normalize("NFKC", text))
    return "0" + plain.removeprefix("+81").lstrip("0") if plain.startswith("+81") else plain


def postal_code(text: str) -> str:
    """Without 〒, hyphen and spaces; seven digits where it is a postal code."""
    return _POSTAL_FILLERS.sub("", unicodedata.normalize("NFKC", text))


def email(text: str) -> str:
    """Width and space only: the local part belongs to its owner (RFC 5321 §2.4); the domain is lower case."""
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"


def name_key(text: str) -> str:
    """For comparing names: no spaces, no width, no case, no variants, kana as hiragana."""
    return str(jaconv.kata2hira(_folded(text))) or text


def address_key(text: str) -> str:
    """For comparing addresses: 1丁目4番1号, 一丁目４－１ and 1-4-1 are the same, with or without the prefecture."""
    local = _PREFECTURE.sub("", _folded(text))
    numbered = _KANJI_NUMBER.sub(lambda number: str(_number(number[0])), local)
    dashed = _HYPHEN_RUN.sub("-", _ADDRESS_WORDS.sub("-", numbered))
    return _NOT_BEFORE_NUMBER.sub("", dashed) or text


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", _SELECTORS.sub("", text)).translate(VARIANTS).casefold()
    return _SPACES.sub("", plain)


def _number(kanji: str) -> int:
    """Up to 九十九, and positional ones (二〇三), as they stand before 丁目."""
    tens, ten, ones = kanji.rpartition("十")
    return _digits(ones) + (10 * (_digits(tens) or 1) if ten else 0)


def _digits(kanji: str) -> int:
    return int(kanji.translate(_KANJI_DIGITS) or "0")
