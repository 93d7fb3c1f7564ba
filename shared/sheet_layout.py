"""Places on the printed application sheet, in millimetres from the upper left corner of A4.

Intake prints by them (`services/intake/pages/sheet.typ`), and the vault finds a field again on a fax or a scan
(`services/vault/papers/find_fields.py`). A change here needs another version in `code_text`, because sheets that were
printed before come back with their old places.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from shared.campaign import Campaign

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width, height."""

VERSION: Final = 2
_VERSION_DIGITS: Final = 12

MARKS: Final = ((10.5, 10.5), (199.5, 10.5), (199.5, 286.5), (10.5, 286.5))
"""Centres of the corner marks, black squares of `MARK_SIDE`: upper left, upper right, lower right, lower left."""
MARK_SIDE: Final = 5.0

CODE: Final[Box] = (169.0, 14.0, 24.0, 24.0)
"""The code without a quiet zone."""

PURPOSE: Final[Box] = (17.0, 40.0, 176.0, 20.0)
TABLE: Final = (17.0, 62.0)
_VALUES_LEFT: Final = 51.0
_VALUES_WIDTH: Final = 142.0
ROWS: Final[dict[str, float]] = {
    "name": 15.0, "postal_code": 11.0, "address": 21.0, "phone": 13.0, "age_or_grade": 16.0, "guardian": 15.0,
}  # fmt: skip
"""Heights of the rows of the table of fields, from the top."""
CLASSES_TOP: Final = 155.0
_CLASSES: Final[Box] = (17.0, CLASSES_TOP, 95.0, 95.0)


@dataclass(frozen=True)
class SheetLayout:
    """Places of the values, by field."""

    boxes: dict[str, Box]

    @classmethod
    def make(cls) -> "SheetLayout":
        """Return the places of this version."""
        boxes, top = dict[str, Box](), TABLE[1]
        for name, height in ROWS.items():
            boxes[name] = (_VALUES_LEFT, top, _VALUES_WIDTH, height)
            top += height
        return cls({**boxes, "choices": _CLASSES})


def code_text(campaign: "Campaign") -> str:
    """Return the text of the code. It names the sheet, so that keying shows the purpose that was printed on it."""
    return f"kuji-sheet/{VERSION} {campaign.id} {campaign.purpose.version} {campaign.sha256[:_VERSION_DIGITS]}"
