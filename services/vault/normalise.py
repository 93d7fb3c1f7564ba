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
_ADDRESS_WORDS = re.compile(r"丁目|番地の|番地|番|号室|号|室")

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
    """Digits only, national form: +81 3 … and (03) … become 03…."""
    even = unicodedata.normalize("NFKC", text).strip()
    digits = "".join(each for each in even if each.isdigit())
    return "0" + digits.removeprefix("81").lstrip("0") if even.startswith("+81") else digits


def postal_code(text: str) -> str:
    """The seven digits, with or without 〒 and hyphen."""
    return "".join(each for each in unicodedata.normalize("NFKC", text) if each.isdigit())


def email(text: str) -> str:
    """Width and space only: the local part belongs to its owner (RFC 5321 §2.4); the domain is lower case."""
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"


def name_key(text: str) -> str:
    """For comparing names: no spaces, no width, no case, no variants, kana as hiragana."""
    folded = _SPACES.sub("", unicodedata.normalize("NFKC", text).translate(VARIANTS)).casefold()
    return str(jaconv.kata2hira(folded)) or text


def address_key(text: str) -> str:
    """For comparing addresses: 1丁目4番1号, １－４－１ and 1-4-1 are the same."""
    folded = _SPACES.sub("", unicodedata.normalize("NFKC", text)).translate(VARIANTS).casefold()
    dashed = re.sub(rf"[{re.escape(HYPHENS)}]", "-", _ADDRESS_WORDS.sub("-", folded))
    return re.sub(r"-+", "-", dashed).strip("-") or text
