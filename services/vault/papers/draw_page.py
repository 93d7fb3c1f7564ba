"""Draw one page of a paper as a picture, so that staff never open a file from outside (R-B5). Runs in the sandbox.

A PDF's scripts, actions and attachments do nothing here: pdfium draws what is on the page.
"""

import io
from typing import Final

from PIL import Image, ImageOps

from shared.paper_files import PIXELS, Kind, NotAPaperError, inspect_file, mended_pdf, open_image, quiet_decoders

WIDTH: Final = 1728
"""Dots of a line of a fax (ITU-T T.4): enough to read 6 point type, also zoomed in on a screen."""

_STRETCHED: Final = (1.3, 4.0)
"""Ratios of dots across and down that a fax may have (204 × 98, 204 × 51); other ratios are mistakes of a header."""

_FAST: Final = 1
"""Level of compression: the picture goes to browsers of the office and is kept for minutes, never stored."""

_POINTS_PER_INCH: Final = 72.0


def draw_page(data: bytes, page: int) -> bytes:
    """Return a page, counted from 0, as grey PNG. Raises NotAPaperError."""
    return png_of(picture_of(data, page))


def png_of(picture: Image.Image) -> bytes:
    """Return the picture as PNG."""
    written = io.BytesIO()
    picture.save(written, "PNG", compress_level=_FAST)
    return written.getvalue()


def picture_of(data: bytes, page: int) -> Image.Image:
    """Return the picture of a page. Raises NotAPaperError."""
    facts = inspect_file(data)
    if not 0 <= page < facts.pages:
        raise NotAPaperError("no-such-page")
    with quiet_decoders():
        is_pdf = facts.kind is Kind.PDF
        picture = _page_of_pdf(data, page) if is_pdf else _page_of_image(data, facts.kind, page)
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, max(1, round(picture.height * WIDTH / picture.width))), Image.Resampling.BOX)
    return picture


def _page_of_image(data: bytes, kind: Kind, page: int) -> Image.Image:
    """Return the page upright and with square dots; a fax in standard mode has 204 × 98 of them per inch."""
    with open_image(data, kind) as image:
        image.seek(page)
        grey = upright(image).convert("L")
        across, down = _density(image)
    stretch = across / down if across > 0 and down > 0 else 1.0
    height = round(grey.height * stretch)
    if _STRETCHED[0] <= stretch <= _STRETCHED[1] and grey.width * height <= PIXELS:
        grey = grey.resize((grey.width, height))
    return grey


def upright(image: Image.Image) -> Image.Image:
    """Return the picture turned as its tags say; as it is where they cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  (Pillow raises all sorts of things on tags that strangers wrote)
        return image.copy()


def _density(image: Image.Image) -> tuple[float, float]:
    """Return dots per inch across and down; 0 where the file gives none."""
    try:
        across, down = (float(value or 0) for value in image.info.get("dpi", (0, 0)))
    except (TypeError, ValueError):
        return 0.0, 0.0
    return across, down


def _page_of_pdf(data: bytes, page: int) -> Image.Image:
    import pypdfium2  # noqa: PLC0415  (faxes need not wait for it)

    document = pypdfium2.PdfDocument(mended_pdf(data)[0])
    drawn = document[page]
    scale = min(WIDTH / drawn.get_width(), 300 / _POINTS_PER_INCH)
    picture: Image.Image = drawn.render(scale=scale, grayscale=True).to_pil()
    return picture.convert("L")
