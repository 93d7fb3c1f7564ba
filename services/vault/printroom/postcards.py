"""Set cards on pages: the PDF of a whole batch, of sealed cards or of open postcards. No database and no key is used.

An open postcard holds neither code, entry number nor pass, because anybody may read it on its way.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import zxingcpp

from shared.campaign import Campaign
from shared.campaign.model import CardForm
from shared.contracts import ClassPass
from shared.dates import TOKYO
from shared.typesetting import Typesetter, TypesettingError

TEMPLATES: Final[Mapping[CardForm, Path]] = {
    "open": Path(__file__).with_name("postcard.typ"),
    "sealed": Path(__file__).with_name("sealed.typ"),
}

_FEET_MM: Final[Mapping[CardForm, float]] = {"open": 121.5, "sealed": 128}
"""End of the text of the result, from the card's upper edge."""

_POINTS: Final = 9.5
"""The barcode's size `a`, of 8 to 11.5: at 9.5 it is 75.8 mm wide and keeps 12 mm from the card's edges."""

_UNIT_MM: Final = 0.6 * _POINTS / 10
"""A bar's width; pitch 2, timing bar 2 and long bar 6 of it (Japan Post's barcode manual, p12)."""

BARS_WIDTH_MM: Final = (2 * 66 + 1) * _UNIT_MM

_BAR: Final = {"F": (0, 6), "A": (0, 4), "D": (2, 4), "T": (2, 2)}
"""Top and length of each bar, in units."""

_SVG_BARS: Final = {bar: f"M{{}} {top}h1v{length}h-1z" for bar, (top, length) in _BAR.items()}

_KANJI: Final = "㐀-鿿\U00020000-\U0003ffff"
_KANA: Final = "あいうえおか-ぢつ-もやゆよら-ろわ-んアイウエオカ-ヂツ-モヤユヨラ-ロワ-ン"
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_UNBROKEN: Final = re.compile(rf"[^\s{_KANJI}{_KANA}]{{20,}}")
"""Characters that lines do not break before, twenty or more in a row: Latin words, but also ーーー or 」」」."""

_DARK: Final = re.compile(rb"\x00+")

_LATIN: Final = re.compile("[À-ɏḀ-ỿ\u0300-\u036f]")
"""Letters that the Japanese font lacks or draws badly; looking for them in the template costs a tenth of a card."""

_MOST_PASSES: Final = 8
"""More do not fit at a size that cameras read; a winner of more gives the receipt number at the reception."""

_MARKS: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_ZERO_WIDTH_SPACE: Final = "\u200b"

Rectangle = tuple[float, float, float, float]
"""x, y, width, height."""


@dataclass(frozen=True)
class Card:
    """A card of one person. `address` has one or two lines; `bars` is None if there is no barcode."""

    postal_code: str = field(repr=False)
    address: tuple[str, ...] = field(repr=False)
    name: str = field(repr=False)
    guardian: bool
    bars: str | None = field(repr=False)
    body: str = field(repr=False)
    code: str | None = field(repr=False)
    entry_number: str | None = field(repr=False)
    receipt: str
    passes: tuple[ClassPass, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Printed:
    """A batch as PDF. `unfit` are the indices of cards whose text fits at no legible size: they are not in it."""

    pdf: bytes = field(repr=False)
    pages: int
    unfit: frozenset[int]


def print_cards(typesetter: Typesetter, campaign: Campaign, cards: Sequence[Card]) -> Printed:
    """Return a PDF of two pages a card, in order, in the form that the campaign sends (`post`).

    Cards that do not fit are left out and named in `unfit`.
    """
    template, unfit = TEMPLATES[campaign.post], set[int]()
    background = typesetter.repeated_pdf(template, _facts(campaign))
    while True:
        fitting = [index for index in range(len(cards)) if index not in unfit]
        if not fitting:
            return Printed(b"", 0, frozenset(unfit))
        try:
            pdf = typesetter.pdf(template, _batch(campaign, cards, fitting, background))
        except TypesettingError as error:
            code, _, index = error.code.partition(":")
            if code != "overflow":
                raise
            unfit.add(int(index))
        else:
            return Printed(pdf, count_pages(pdf), frozenset(unfit))


def count_pages(pdf: bytes) -> int:
    """Count the pages in the file itself: its page objects are not compressed."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def bar_rectangles(bars: str) -> list[Rectangle]:
    """Return the bars as rectangles in millimetres."""
    return [
        (index * 2 * _UNIT_MM, _BAR[bar][0] * _UNIT_MM, _UNIT_MM, _BAR[bar][1] * _UNIT_MM)
        for index, bar in enumerate(bars)
    ]


def draw_bars(bars: str) -> str:
    """Return the barcode as SVG, a bar one unit wide, as one path."""
    path = "".join([_SVG_BARS[bar].format(2 * index) for index, bar in enumerate(bars)])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * 66 + 1} 6"><path d="{path}"/></svg>'


def draw_qr(text: str) -> str:
    """Return a QR code (error correction M, without its margin) as SVG, a module one unit wide, as one path."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)
    modules = bytes(picture)  # type: ignore[call-overload]  # a buffer
    width = math.isqrt(len(modules))
    path = "".join([_draw_row(modules[y * width : (y + 1) * width], y) for y in range(width)])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {width}"><path d="{path}"/></svg>'


def _draw_row(row: bytes, y: int) -> str:
    """Return a rectangle for each run of dark modules (0x00)."""
    runs = [run.span() for run in _DARK.finditer(row)]
    return "".join([f"M{start} {y}h{end - start}v1H{start}z" for start, end in runs])


def _facts(campaign: Campaign) -> dict[str, object]:
    """Return what all cards of a campaign have in common. From it alone the template makes their background."""
    office = campaign.office
    return {
        "title": campaign.title.ja,
        "rehearsal": campaign.rehearsal,
        "office": office.model_dump(include={"name", "department", "postal_code", "address", "phone", "fax"}),
        "bars_width": BARS_WIDTH_MM,
        "foot": _FEET_MM[campaign.post],
        "background": None,
        "cards": [],
    }


def _batch(campaign: Campaign, cards: Sequence[Card], fitting: Sequence[int], background: bytes) -> dict[str, object]:
    return _facts(campaign) | {
        "background": list(background),
        "total": len(fitting),
        "cards": [_card(campaign, cards[index], index, number) for number, index in enumerate(fitting, start=1)],
        "bars": [draw_bars(bars) if (bars := cards[index].bars) else None for index in fitting],
        "passes": [_passes(campaign, cards[index]) for index in fitting],
    }


def _card(campaign: Campaign, card: Card, index: int, number: int) -> dict[str, object]:
    return {
        "index": index,
        "number": number,
        "postal_code": card.postal_code,
        "address": [_breakable(line) for line in card.address],
        "name": _breakable(card.name),
        "guardian": card.guardian,
        "body": _breakable(_BLANK_LINES.sub("\n\n", card.body.strip())),
        "code": card.code if campaign.post == "sealed" else None,
        "entry_number": card.entry_number if campaign.post == "sealed" else None,
        "receipt": card.receipt,
        "latin": _LATIN.search("".join((card.name, *card.address, card.body))) is not None,
    }


def _passes(campaign: Campaign, card: Card) -> list[tuple[str, str]]:
    """Return title and QR code of each pass that the card shows."""
    if campaign.post != "sealed":
        return []
    return [(_title(campaign, shown), draw_qr(shown.code)) for shown in card.passes[:_MOST_PASSES]]


def _title(campaign: Campaign, shown: ClassPass) -> str:
    """Return the class's number and start; the text beside it has the rest."""
    event_class = campaign.event_class(shown.class_id)
    if event_class is None:
        return ""
    number, starts = event_class.number, event_class.starts.astimezone(TOKYO)
    mark = _MARKS[number - 1] if number <= len(_MARKS) else f"{number}."
    return f"{mark} {starts.month}/{starts.day} {starts:%H:%M}"


def _breakable(text: str) -> str:
    """Allow a break anywhere in a run of characters that would cross the edge of the card."""
    return _UNBROKEN.sub(lambda word: _ZERO_WIDTH_SPACE.join(word[0]), text)
