"""Find the characters that a font can print, by its `cmap` tables (OpenType 1.9).

typst prints a box for a character that no font has; a card with boxes in place of a name must not be posted.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

_LATIN: Final = ((0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x1E00, 0x1EFF))
"""Characters of typst's own Latin font: names from all over Europe and Vietnam."""

_INVISIBLE: Final = ((0x09, 0x0A), (0x0D, 0x0D), (0x200B, 0x200D), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Line ends, break opportunities, and variation selectors: if a font lacks a variant, it prints the plain form."""


@lru_cache(maxsize=8)
def printable(font: Path) -> frozenset[int]:
    """Return the code points that this font and typst's own print as themselves. A font is read once in a process."""
    ranges = (*_LATIN, *_INVISIBLE)
    return _covered(font) | {point for first, last in ranges for point in range(first, last + 1)}


def _covered(font: Path) -> frozenset[int]:
    with TTFont(font, lazy=True) as opened:
        # Glyph 0 is the one for missing characters. The names of the others, in `post`, take half of the time.
        opened.setGlyphOrder([".notdef", *(f"glyph{number}" for number in range(1, opened["maxp"].numGlyphs))])
        unicode_tables = [table for table in opened["cmap"].tables if table.isUnicode()]
        return frozenset(point for table in unicode_tables for point, glyph in table.cmap.items() if glyph != ".notdef")
