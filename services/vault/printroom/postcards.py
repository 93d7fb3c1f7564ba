"""Set cards on pages: the text of a postcard, and the PDF of a whole batch. No database and no key is used."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

import segno

from shared.campaign import Campaign
from shared.contracts import ClassPass
from shared.dates import TOKYO
from shared.typesetting import Typesetter, TypesettingError

TEMPLATE: Final = Path(__file__).with_name("postcard.typ")

_POINTS: Final = 9.5
"""The barcode's size `a`, of 8 to 11.5: at 9.5 it is 75.8 mm wide and keeps 12 mm from the card's edges."""

_UNIT_MM: Final = 0.6 * _POINTS / 10
"""A bar's width; pitch 2, timing bar 2 and long bar 6 of it (Japan Post's barcode manual, p12)."""

_BAR: Final = {"F": (0, 6), "A": (0, 4), "D": (2, 4), "T": (2, 2)}
"""Top and length of each bar, in units."""

_KANJI: Final = "㐀-鿿\U00020000-\U0003ffff"
_KANA: Final = "あいうえおか-ぢつ-もやゆよら-ろわ-んアイウエオカ-ヂツ-モヤユヨラ-ロワ-ン"
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_UNBROKEN: Final = re.compile(rf"[^\s{_KANJI}{_KANA}]{{20,}}")
"""Characters that lines do not break before, twenty or more in a row: Latin words, but also ーーー or 」」」."""

_MOST_PASSES: Final = 8
"""More do not fit at a size that cameras read; a winner of more gives the receipt number at the reception."""

_MARKS: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_ZERO_WIDTH_SPACE: Final = "\u200b"

Rectangle = tuple[float, float, float, float]
"""x, y, width, height."""


@dataclass(frozen=True)
class Card:
    """A postcard of one person. `address` has one or two lines; `bars` is None if there is no barcode."""

    postal_code: str = field(repr=False)
    address: tuple[str, ...] = field(repr=False)
    name: str = field(repr=False)
    guardian: bool
    bars: str | None = field(repr=False)
    body: str = field(repr=False)
    pass_code: str | None = field(repr=False)
    receipt: str
    passes: tuple[ClassPass, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Printed:
    """A batch as PDF. `unfit` are the indices of cards whose text fits at no legible size: they are not in it."""

    pdf: bytes = field(repr=False)
    pages: int
    unfit: frozenset[int]


def print_cards(typesetter: Typesetter, campaign: Campaign, cards: Sequence[Card]) -> Printed:
    """Return a PDF of two pages a card, in order. Cards that do not fit are left out and named in `unfit`."""
    unfit: set[int] = set()
    while True:
        fitting = [index for index in range(len(cards)) if index not in unfit]
        if not fitting:
            return Printed(b"", 0, frozenset(unfit))
        try:
            pdf = typesetter.pdf(TEMPLATE, _batch(campaign, cards, fitting))
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


def qr_rectangles(text: str) -> tuple[int, list[Rectangle]]:
    """Return a QR code (error correction M) as its width in modules, and rectangles of joined modules."""
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False, boost_error=False).matrix]
    return len(rows), [rectangle for y, row in enumerate(rows) for rectangle in _runs(row, y)]


def _runs(row: bytes, y: int) -> list[Rectangle]:
    found, x = [], 0
    for dark, run in groupby(row):
        width = len(list(run))
        if dark:
            found.append((float(x), float(y), float(width), 1.0))
        x += width
    return found


def _batch(campaign: Campaign, cards: Sequence[Card], fitting: Sequence[int]) -> dict[str, object]:
    office = campaign.office
    return {
        "title": campaign.title.ja,
        "rehearsal": campaign.rehearsal,
        "office": office.model_dump(include={"name", "department", "postal_code", "address", "phone", "fax"}),
        "bars_width": (2 * 66 + 1) * _UNIT_MM,
        "total": len(fitting),
        "cards": [_card(campaign, cards[index], index, number) for number, index in enumerate(fitting, start=1)],
    }


def _card(campaign: Campaign, card: Card, index: int, number: int) -> dict[str, object]:
    return {
        "index": index,
        "number": number,
        "postal_code": card.postal_code,
        "address": [_breakable(line) for line in card.address],
        "name": _breakable(card.name),
        "guardian": card.guardian,
        "bars": bar_rectangles(card.bars) if card.bars else None,
        "body": _breakable(_BLANK_LINES.sub("\n\n", card.body.strip())),
        "pass_code": card.pass_code,
        "passes": [_pass(campaign, shown) for shown in card.passes[:_MOST_PASSES]],
        "receipt": card.receipt,
    }


def _pass(campaign: Campaign, shown: ClassPass) -> dict[str, object]:
    """Return the QR code with the class's number and start; the text above has the rest."""
    modules, rectangles = qr_rectangles(shown.code)
    event_class = campaign.event_class(shown.class_id)
    if event_class is None:
        return {"label": "", "modules": modules, "qr": rectangles}
    number, starts = event_class.number, event_class.starts.astimezone(TOKYO)
    mark = _MARKS[number - 1] if number <= len(_MARKS) else f"{number}."
    return {"label": f"{mark} {starts.month}/{starts.day} {starts:%H:%M}", "modules": modules, "qr": rectangles}


def _breakable(text: str) -> str:
    """Allow a break anywhere in a run of characters that would cross the edge of the card."""
    return _UNBROKEN.sub(lambda word: _ZERO_WIDTH_SPACE.join(word[0]), text)
