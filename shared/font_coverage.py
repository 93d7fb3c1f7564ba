"""Which characters a font can print, read from its `cmap` table (OpenType 1.9, formats 12 and 4).

typst prints a box for a character that no font has; a card with boxes for a name must not leave the house.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_LATIN: Final = ((0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x1E00, 0x1EFF))
"""What typst's own Latin font adds: names from all over Europe and Vietnam."""

_INVISIBLE: Final = ((0x09, 0x0A), (0x0D, 0x0D), (0x200B, 0x200D), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Line ends, break opportunities, and variation selectors: where a font lacks a variant it prints the plain form."""


def printable(font: Path) -> frozenset[int]:
    """Code points that come out as themselves with this font and typst's own."""
    ranges = (*_LATIN, *_INVISIBLE)
    with font.open("rb") as file:
        return frozenset(_covered(file)) | {point for first, last in ranges for point in range(first, last + 1)}


def _covered(file: BinaryIO) -> Iterator[int]:
    start = _table(file, b"cmap")
    (count,) = struct.unpack(">H", _read(file, start + 2, 2))
    for index in range(count):
        (offset,) = struct.unpack(">I", _read(file, start + 4 + 8 * index + 4, 4))
        (form,) = struct.unpack(">H", _read(file, start + offset, 2))
        if form == 12:  # noqa: PLR2004  (segmented coverage of all of Unicode)
            yield from _segmented(file, start + offset)
        elif form == 4:  # noqa: PLR2004  (segments of the basic plane)
            yield from _basic(file, start + offset)


def _table(file: BinaryIO, tag: bytes) -> int:
    (count,) = struct.unpack(">H", _read(file, 4, 2))
    for index in range(count):
        name, _, offset, _ = struct.unpack(">4sIII", _read(file, 12 + 16 * index, 16))
        if name == tag:
            return int(offset)
    raise ValueError("the font has no cmap table")


def _segmented(file: BinaryIO, start: int) -> Iterator[int]:
    (count,) = struct.unpack(">I", _read(file, start + 12, 4))
    for first, last, glyph in struct.iter_unpack(">III", _read(file, start + 16, 12 * count)):
        yield from range(first + (glyph == 0), last + 1)


def _basic(file: BinaryIO, start: int) -> Iterator[int]:
    (doubled,) = struct.unpack(">H", _read(file, start + 6, 2))
    ends = struct.unpack(f">{doubled // 2}H", _read(file, start + 14, doubled))
    firsts = struct.unpack(f">{doubled // 2}H", _read(file, start + 16 + doubled, doubled))
    for first, last in zip(firsts, ends, strict=True):
        if last != 0xFFFF:  # noqa: PLR2004  (the segment that ends every table)
            yield from range(first, last + 1)


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)
