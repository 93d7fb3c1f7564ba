"""Hand-outs for clerks are set with our fonts and have the two pages that they promise."""

from pathlib import Path

import pypdfium2
import typst

from shared.typesetting import FONT_DIRS

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_hand_out_of_keying_has_two_pages_and_names_every_key():
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(folder) for folder in FONT_DIRS])
    pdf = typst.compile(DOCS / "ja" / "keying.typ", root=DOCS, font_paths=fonts)
    with pypdfium2.PdfDocument(pdf) as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
        assert len(document) == 2
    program = (DOCS.parent / "services/vault/web/src/keying/keying.entry.ts").read_text("utf-8")
    keys = [key for key in ("F2", "F4", "F8", "F9", "F10", "PageDown", "PageUp") if f"{key}:" in program]
    assert len(keys) == 7
    assert [key for key in keys if key not in text] == []
