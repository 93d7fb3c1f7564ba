"""Decide which files may be a paper: kinds, size, number of pages; the same at the edge and in the vault.

Decoding files from outside is the risky part, so the vault runs this file in a process of its own that holds no key
(`services/vault/papers/sandbox_process.py`).
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    import pikepdf

BYTES: Final = 8 * 1024 * 1024 - 1136
"""Largest clear file: sealed, it has 1,120 bytes of encapsulated key and 16 of tag more (protocols §1)."""
PAGES: Final = 20
PIXELS: Final = 40_000_000
"""Largest page: A4 at 600 dots per inch has 35 million."""
POINTS: Final = 2400.0
"""Longest side of a PDF page, 1/72 inch: twice A3."""


class Kind(StrEnum):
    """Kind of file; the value is the media type."""

    TIFF = "image/tiff"
    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"

    @property
    def suffix(self) -> str:
        return {Kind.TIFF: ".tif", Kind.PDF: ".pdf", Kind.JPEG: ".jpg", Kind.PNG: ".png"}[self]


_MAGIC: Final = (
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
    (b"%PDF-", Kind.PDF),
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
)


_PDF_HEADER: Final = b"%PDF-"
HEADER_WITHIN: Final = 1024


class NotAPaperError(Exception):
    """Raised when a file is no paper; `code` is the reason (`damaged`, `encrypted`, …), never content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class FileFacts:
    """Kind and number of pages of a decoded file."""

    kind: Kind
    pages: int


def kind_of(data: bytes) -> Kind | None:
    """Return the kind by the file's first bytes; None for another one. Nothing is decoded.

    The header of a PDF may stand within the first 1,024 bytes, behind a printer's commands or a byte order mark.
    """
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    return Kind.PDF if kind is None and _PDF_HEADER in data[: HEADER_WITHIN + len(_PDF_HEADER)] else kind


def inspect_file(data: bytes) -> FileFacts:
    """Decode every page within the limits above. Raises NotAPaperError."""
    if not data:
        raise NotAPaperError("empty")
    if len(data) > BYTES:
        raise NotAPaperError("too-large")
    kind = kind_of(data)
    if kind is None:
        raise NotAPaperError("unknown-kind")
    try:
        with quiet_decoders():
            return FileFacts(kind, _pages_of_pdf(data) if kind is Kind.PDF else _pages_of_image(data, kind))
    except NotAPaperError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAPaperError("too-many-pixels") from None
    except MemoryError:
        raise NotAPaperError("too-large") from None
    except Exception:  # noqa: BLE001  (decoders raise all sorts of things on what strangers make)
        raise NotAPaperError("damaged") from None


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Let decoders warn of faults that every viewer passes over, such as a tag with too many values, without effect."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def open_image(data: bytes, kind: Kind) -> Image.Image:
    """Open an image as its kind. A telephone's JPEG with a preview behind it (MPO) is one page, its first picture."""
    formats = [kind.name, "MPO"] if kind is Kind.JPEG else [kind.name]
    return Image.open(io.BytesIO(data), formats=formats)


def _pages_of_image(data: bytes, kind: Kind) -> int:
    with open_image(data, kind) as image:
        pages = 1 if kind is Kind.JPEG else getattr(image, "n_frames", 1)
        if pages > PAGES:
            raise NotAPaperError("too-many-pages")
        for page in range(pages):
            image.seek(page)
            if image.width * image.height > PIXELS:
                raise NotAPaperError("too-many-pixels")
            if kind is Kind.TIFF:
                _check_strips(image, len(data))
            image.load()
        return pages


_OFFSETS: Final = ((273, 279), (324, 325))
"""TIFF 6.0: StripOffsets and StripByteCounts, TileOffsets and TileByteCounts."""


def _check_strips(image: Image.Image, size: int) -> None:
    """Raise NotAPaperError if a strip lies outside the file: libtiff fills such gaps silently."""
    tags = getattr(image, "tag_v2", {})
    for offsets, counts in _OFFSETS:
        if any(at + count > size for at, count in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=True)):
            raise NotAPaperError("damaged")


def _pages_of_pdf(data: bytes) -> int:
    return len(mended_pdf(data)[1])


def mended_pdf(data: bytes) -> tuple[bytes, range]:
    """Return the PDF as it can be drawn, and its page numbers. Raises NotAPaperError."""
    import pikepdf  # noqa: PLC0415  (takes 0.2 s, which faxes need not wait)

    from shared import pdf_pages  # noqa: PLC0415  (the same)

    try:
        opened = pikepdf.open(io.BytesIO(pdf_pages.from_header(data)), suppress_warnings=True)
    except pikepdf.PasswordError:
        raise NotAPaperError("encrypted") from None
    with opened as pdf:
        _check_pages(pdf)
        try:
            return pdf_pages.mend(pdf), range(len(pdf.pages))
        except pdf_pages.TooLargeError:
            raise NotAPaperError("too-large") from None
        except pdf_pages.DamagedPdfError:
            raise NotAPaperError("damaged") from None


def _check_pages(pdf: "pikepdf.Pdf") -> None:
    if pdf.is_encrypted:
        raise NotAPaperError("encrypted")
    if not 1 <= len(pdf.pages) <= PAGES:
        raise NotAPaperError("too-many-pages" if len(pdf.pages) else "empty")
    for page in pdf.pages:
        left, bottom, right, top = (float(side) for side in page.mediabox)
        if max(abs(right - left), abs(top - bottom)) > POINTS:
            raise NotAPaperError("too-many-pixels")
        for image in page.get_images().values():
            if int(image.Width) * int(image.Height) > PIXELS:
                raise NotAPaperError("too-many-pixels")
