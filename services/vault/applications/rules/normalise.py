"""Normalise the text that applicants type: one form for display, and one key for comparing. Pure.

Display keeps every character of a name as it is and only widens or narrows forms (half-width kana, full-width
digits). Comparison folds further: variant characters, kana, hyphens, spaces. NFKC alone does neither: it leaves
髙 and 﨑 and most hyphens, and on kanji it may replace a character of a person's name.
"""

import re
import unicodedata

import jaconv

from shared.address_numerals import fold_width, replace_numerals

HYPHENS = "-‐‑‒–—―−－ｰー─━"
"""Characters that stand for a hyphen between numbers; many keyboards give the long vowel mark there."""

_WIDE_FORMS = re.compile(r"[\uff01-\uffee\u3000\u00a0]+")
_BETWEEN_NUMBERS = re.compile(rf"(?<=[0-9A-Za-z])\s*[{re.escape(HYPHENS)}]\s*(?=[0-9A-Za-z])")
_SPACES = re.compile(r"\s+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variation selectors name a drawing of a character. Display keeps them; they make no difference for comparing."""
_PREFECTURE = re.compile(r"^(?:東京都|北海道|(?:京都|大阪)府|.{2,3}県)(?=.)")
_BOUNDARIES = re.compile(r"(?<=\d)[\s&/・.,、]+(?=\d)")
_TOWN_VARIANTS = str.maketrans({"が": "ケ", "ガ": "ケ", "之": "の", "ノ": "の"})
_ADDRESS_WORDS = re.compile(r"(?<=\d)(?:丁目|丁|番地の|番地|番|号室|号棟|号|室|の(?=\d))")
_HYPHEN_RUN = re.compile(rf"[{re.escape(HYPHENS)}]+")
_NOT_BEFORE_NUMBER = re.compile(r"-(?!\d)")
_PHONE_FILLERS = re.compile(rf"[\s()\[\]./・{re.escape(HYPHENS)}]+")
_EXTENSION = re.compile(r"(?:#|内線番号|内線|内|ext|x):?([0-9]{1,6})$", re.IGNORECASE)
_POSTAL_FILLERS = re.compile(rf"[\s〒{re.escape(HYPHENS)}]+")

_RADICALS = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)} | str.maketrans(
    "⺄⺒⺓⺟⺠⺩⺫⺬⺼⺽⻁⻄⻆⻊⻑⻓⻗⻘⻝⻞⻤⻨⻩⻫⻭⻯⻱⻲⻳",
    "乙巳幺母民王罒示月臼虎西角足長長雨青食食鬼麦黄斉歯竜龜亀亀",
)
"""Radicals that text copied out of a PDF has in place of characters; no font of a printer has them.

NFKC knows those of Kangxi only. Source for the others: Unicode, EquivalentUnifiedIdeograph.txt.
"""

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
    """Return the text with even widths (kana and Japanese marks full, Latin and digits half) and single spaces.

    A radical becomes the character that it stands for.
    """
    even = _WIDE_FORMS.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text).translate(_RADICALS)
    return _SPACES.sub(" ", even).strip()


def display_address(text: str) -> str:
    """Return the text as `display` does, with each hyphen between numbers the plain one."""
    return _BETWEEN_NUMBERS.sub("-", display(text))


def phone(text: str) -> str:
    """Return the national form: +81 3 … and (03) … become 03…, an extension follows behind `#` (内線12 becomes #12).

    Other characters stay, so that the check finds them.
    """
    plain = _PHONE_FILLERS.sub("", unicodedata.normalize("NFKC", text))
    national = "0" + plain.removeprefix("+81").lstrip("0") if plain.startswith("+81") else plain
    return _EXTENSION.sub(r"#\1", national)


def without_extension(phone_number: str) -> str:
    """Return the number alone: colleagues at one switchboard differ by their extension only."""
    return phone_number.partition("#")[0]


def postal_code(text: str) -> str:
    """Return the text without 〒, hyphens and spaces; seven digits if it is a postal code."""
    return _POSTAL_FILLERS.sub("", unicodedata.normalize("NFKC", text))


def email(text: str) -> str:
    """Return the address with the domain in lower case; only its owner's server may change the local part.

    Source: RFC 5321 §2.4.
    """
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"


def name_key(text: str) -> str:
    """Return the key for comparing names: no spaces, widths, case or variants, and kana as hiragana."""
    return str(jaconv.kata2hira(_SPACES.sub("", fold_variants(text)))) or _SPACES.sub("", text) or text


def address_key(text: str) -> str:
    """Return the key for comparing addresses: 1丁目4番1号, 一丁目４－１ and 1-4-1 have one key.

    The prefecture may be left out. A boundary between two numbers (a blank, a mark, a kanji numeral) stays one.
    """
    local = _SPACES.sub("", _BOUNDARIES.sub("-", fold_variants(text)))
    numbered = replace_numerals(_PREFECTURE.sub("", local)).translate(_TOWN_VARIANTS)
    dashed = _HYPHEN_RUN.sub("-", _ADDRESS_WORDS.sub("-", numbered))
    return _NOT_BEFORE_NUMBER.sub("", dashed) or text


def fold_variants(text: str) -> str:
    """Return the text without variation selectors, widths, case and variant characters. Blanks stay."""
    return fold_width(_SELECTORS.sub("", text)).translate(VARIANTS).casefold()
