"""Papers that invented people wrote: our sheet and free-form, faxes and postcards, one or two people on each."""

import functools
import io
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from shared.sheet_layout import SheetLayout
from shared.typesetting import FONT_DIRS
from tests.support import fax_images

_FAMILIES = ("髙橋", "𠮷田", "﨑山", "佐藤", "鈴木", "渡邉", "齋藤", "濵田", "小林", "加藤")
_GIVEN = ("一郎", "花子", "美咲", "健太", "葵", "蓮", "結衣", "陽翔")
_PLACES = (
    ("160-0023", "東京都新宿区西新宿", "2-8-1 203号室"),
    ("1600021", "東京都新宿区歌舞伎町", "1-4-1 3号棟501"),
    ("１６２－０８４３", "東京都新宿区市谷田町", "2-1-1"),
    ("161-0033", "東京都新宿区下落合", "4丁目5番6号"),
)
_PEOPLE = (("35", "3"), ("小3", "21"), ("中1", "57"), ("s4", "12"), ("70", "3"))
_FONT = FONT_DIRS[1] / "ipaexg.ttf"
_WHITE, _BLACK = 255, 0


@dataclass(frozen=True)
class WrittenPaper:
    """A paper's file, and what stands on it: for each application the texts as a person keys them."""

    file: bytes = field(repr=False)
    channel: Literal["fax", "post"]
    sheets: tuple[dict[str, str], ...]


@functools.cache
def written_papers() -> tuple[WrittenPaper, ...]:
    """Return 30 faxes, half of them our sheet, and 10 postcards; one in ten has two people of a household on it, two
    have people at different addresses.
    """
    return tuple(_paper(number) for number in range(40))


def _paper(number: int) -> WrittenPaper:
    channel: Literal["fax", "post"] = "post" if number % 4 == 3 else "fax"
    sheets = _people(number)
    on_sheet = channel == "fax" and number % 2 == 0
    picture = _our_sheet().copy() if on_sheet else Image.new("L", (1728, 1100 if channel == "post" else 2200), _WHITE)
    if on_sheet:
        _fill_in(picture, sheets[0])
    else:
        _write(picture, sheets)
    return WrittenPaper(_saved(picture, channel), channel, sheets)


def _people(number: int) -> tuple[dict[str, str], ...]:
    """Return one person, two of a household on every tenth paper, or two pupils at two addresses on paper 7 and 27."""
    if number % 20 == 7:
        return _sheet(number * 2 + 2), _sheet(number * 2 + 3)
    return _household(number * 2) if number % 10 == 9 else (_sheet(number * 2),)


def _sheet(number: int) -> dict[str, str]:
    postal_code, town, street = _PLACES[number % len(_PLACES)]
    age_or_grade, classes = _PEOPLE[number % len(_PEOPLE)]
    family = _FAMILIES[number % len(_FAMILIES)]
    phone = f"03-5273-{4000 + number}" + (" 内線12" if number % 7 == 0 else "")
    return {
        "name": f"{family}{_GIVEN[number % len(_GIVEN)]}", "postal_code": postal_code, "town": town, "street": street,
        "phone": phone, "age_or_grade": age_or_grade, "classes": classes,
        "guardian": "" if age_or_grade in {"35", "70"} else f"{family}保",
    }  # fmt: skip


def _household(number: int) -> tuple[dict[str, str], ...]:
    """Return two people with one address, telephone and, where both are under 20, guardian."""
    first, other = _sheet(number), _sheet(number + 1)
    shared = {name: first[name] for name in ("postal_code", "town", "street", "phone")}
    guardian = other["guardian"] and (first["guardian"] or other["guardian"])
    return first, {**other, **shared, "guardian": guardian}


@functools.cache
def _our_sheet() -> Image.Image:
    return fax_images.pages_at(98, 1)[0].convert("L").resize((1728, 2444))


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size)


def _write(picture: Image.Image, sheets: tuple[dict[str, str], ...]) -> None:
    """Write everything in lines, as people do on a blank paper."""
    pen, font = ImageDraw.Draw(picture), _font(48)
    for number, sheet in enumerate(sheets):
        for line, text in enumerate(sheet.values()):
            pen.text((200, 60 + number * 520 + line * 62), text, fill=_BLACK, font=font)


def _fill_in(picture: Image.Image, sheet: dict[str, str]) -> None:
    """Write each value into its field of our sheet."""
    pen, scale = ImageDraw.Draw(picture), picture.width / 210
    texts = {**sheet, "address": sheet["town"] + sheet["street"], "choices": ""}
    for name, (left, top, _, height) in SheetLayout.make().boxes.items():
        font = _font(round(min(height, 14) * scale * 0.6))
        pen.text(((left + 4) * scale, (top + height * 0.2) * scale), texts[name], fill=_BLACK, font=font)


def _saved(picture: Image.Image, channel: str) -> bytes:
    written = io.BytesIO()
    if channel == "fax":
        picture.convert("1").save(written, "TIFF", compression="group4", dpi=(204, 196))
    else:
        picture.save(written, "JPEG", quality=80)
    return written.getvalue()
