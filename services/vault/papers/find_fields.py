"""Find the fields of our printed sheet in the picture of a page, by its corner marks and its code. Runs in the sandbox.

The marks give a perspective map from millimetres to dots, so that a page that was fed askew, shrunk or cut is found
too. Whether it is our sheet, and of this campaign, the code says: its dots are compared with those that were printed.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from PIL import Image

from shared.sheet_layout import CODE, MARK_SIDE, MARKS, Box, SheetLayout

Point: TypeAlias = tuple[float, float]
Code: TypeAlias = Sequence[Sequence[int]]
"""Rows of the code's dots, 1 for dark."""

_COARSE: Final = 2.0
"""Dots a millimetre of the small picture in which marks are looked for."""
_CORNER_MM: Final = 40
"""Side of the square at each corner that holds a mark."""
_PAGE_MM: Final = (210.0, 297.0)
_DARK: Final = 128
_SURE: Final = 0.55
"""Share of dark dots in a mark less that of its surroundings. A mark has 1.0; a corner of a table about 0.3."""
_AGREES: Final = 0.85
"""Share of the code's dots that must be as printed. Chance gives 0.5, a bad fax 0.95."""


def find_fields(picture: Image.Image, code: Code) -> dict[str, Box]:
    """Return left, top, width and height of each field, in parts of the picture; nothing if it is another paper."""
    grey = picture.convert("L")
    marks = _marks(grey)
    if marks is None:
        return {}
    place = _perspective(MARKS, marks)
    if place is None or _agreement(grey, place, code) < _AGREES:
        return {}
    return {name: _box(place, box, grey.size) for name, box in SheetLayout.make().boxes.items()}


def _marks(grey: Image.Image) -> list[Point] | None:
    """Return the centres of the marks in dots of the picture; None where a corner has none."""
    scale = _COARSE * _PAGE_MM[0] / grey.width
    small = grey.resize((max(1, round(grey.width * scale)), max(1, round(grey.height * scale))), Image.Resampling.BOX)
    side = round(_CORNER_MM * _COARSE)
    if small.width < 2 * side or small.height < 2 * side:
        return None
    lefts, tops = (0, small.width - side), (0, small.height - side)
    corners = ((lefts[0], tops[0]), (lefts[1], tops[0]), (lefts[1], tops[1]), (lefts[0], tops[1]))
    found = [_mark(small.crop((left, top, left + side, top + side))) for left, top in corners]
    points = [
        ((left + one[0]) / scale, (top + one[1]) / scale)
        for (left, top), one in zip(corners, found, strict=True)
        if one is not None
    ]
    return points if len(points) == len(MARKS) else None


def _mark(corner: Image.Image) -> Point | None:
    """Return the centre of the dark square with light around it; None if there is none."""
    sums, size = _sums(corner), corner.width
    inner = round(MARK_SIDE * _COARSE)
    outer, edge = inner + 6, 3
    best, at = _SURE, None
    for top in range(size - outer + 1):
        for left in range(size - outer + 1):
            dark = _sum(sums, left + edge, top + edge, inner)
            around = _sum(sums, left, top, outer) - dark
            score = dark / inner**2 - around / (outer**2 - inner**2)
            if score > best:
                best, at = score, (left + outer / 2, top + outer / 2)
    return at


def _sums(corner: Image.Image) -> list[list[float]]:
    """Return the sums of darkness over all rectangles from the upper left corner."""
    width, shades = corner.width, corner.tobytes()
    rows = [[0.0] * (width + 1)]
    for y in range(corner.height):
        row, total = [0.0], 0.0
        for x in range(width):
            total += 1 - shades[y * width + x] / 255
            row.append(rows[-1][x + 1] + total)
        rows.append(row)
    return rows


def _sum(sums: list[list[float]], left: int, top: int, side: int) -> float:
    right, bottom = left + side, top + side
    return sums[bottom][right] - sums[top][right] - sums[bottom][left] + sums[top][left]


class _Perspective:
    """Map millimetres of the sheet to dots of the picture."""

    def __init__(self, factors: Sequence[float]) -> None:
        self._factors = factors

    def __call__(self, x: float, y: float) -> Point:
        a, b, c, d, e, f, g, h = self._factors
        depth = g * x + h * y + 1
        return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth


def _perspective(sources: Sequence[Point], targets: Sequence[Point]) -> _Perspective | None:
    """Return the map that takes four points to four others; None where they stand in a line."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(sources, targets, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    solved = _solve(rows)
    return None if solved is None else _Perspective(solved)


def _solve(rows: list[list[float]]) -> list[float] | None:
    """Solve linear equations by Gauss's elimination with pivots; the last column is the right side."""
    count = len(rows)
    for column in range(count):
        pivot = max(range(column, count), key=lambda row: abs(rows[row][column]))
        if abs(rows[pivot][column]) < 1e-9:  # noqa: PLR2004  (nothing but rounding)
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(count):
            if row != column:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [one - factor * other for one, other in zip(rows[row], rows[column], strict=True)]
    return [rows[row][-1] / rows[row][row] for row in range(count)]


def _agreement(grey: Image.Image, place: _Perspective, code: Code) -> float:
    """Return the share of the code's dots that are as printed."""
    left, top, width, height = CODE
    rows, shades, wide = len(code), grey.tobytes(), grey.width
    agreed = 0
    for y, row in enumerate(code):
        for x, dark in enumerate(row):
            at = place(left + (x + 0.5) * width / rows, top + (y + 0.5) * height / rows)
            column, line = int(at[0]), int(at[1])
            if 0 <= column < wide and 0 <= line < grey.height:
                agreed += (shades[line * wide + column] < _DARK) == bool(dark)
    return agreed / rows**2


def _box(place: _Perspective, box: Box, size: tuple[int, int]) -> Box:
    """Return the upright rectangle around the field, in parts of the picture."""
    left, top, width, height = box
    corners = [place(x, y) for x in (left, left + width) for y in (top, top + height)]
    xs = [min(max(x / size[0], 0.0), 1.0) for x, _ in corners]
    ys = [min(max(y / size[1], 0.0), 1.0) for _, y in corners]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
