"""Papers for tests: an application sheet as fax machines and scanners hand it over, and what must be turned away.

Faxes (ITU-T T.4, T.6; TIFF-F, RFC 2306): 1,728 dots a line, 204 × 196 or 204 × 98 dots per inch, G3 or G4.
"""

import functools
import io
from pathlib import Path
from typing import Literal

import pikepdf
import pypdfium2
import typst
from PIL import Image, ImageChops, TiffImagePlugin

from services.intake.pages import TEXTS
from services.intake.pages.sheet import Sheets
from shared.campaign import load_campaign
from shared.typesetting import Typesetter
from shared.web.pages import catalogues_with

WIDTH = 1728
A4_INCHES = 297 / 25.4
SAMPLE = Path("deploy/campaigns/777-days.yaml")
FURTHER = """
#set page(paper: "a4", margin: 20mm)
#set text(font: "IPAexGothic", size: 14pt)
= %s 枚目
髙﨑 花子、新宿区歌舞伎町1-4-1、03-1111-2222
"""


@functools.cache
def sheet(pages: int = 1) -> bytes:
    """Return the application sheet as printed (PDF, A4), with further pages behind it."""
    printed = Sheets(Typesetter(), *catalogues_with(TEXTS)).pdf(load_campaign(SAMPLE))
    whole = io.BytesIO()
    with pikepdf.open(io.BytesIO(printed)) as document:
        for number in range(2, pages + 1):
            with pikepdf.open(io.BytesIO(typst.compile((FURTHER % number).encode("utf-8")))) as further:
                document.pages.extend(further.pages)
        document.save(whole)
    return whole.getvalue()


@functools.cache
def pages_at(lines_per_inch: int, pages: int) -> tuple[Image.Image, ...]:
    """Return the sheet in black and white, as a fax machine scans it."""
    height = round(A4_INCHES * lines_per_inch)
    document = pypdfium2.PdfDocument(sheet(pages))
    try:
        pictures = [page.render(scale=204 / 72).to_pil() for page in document]
    finally:
        document.close()
    return tuple(
        each.convert("L").resize((WIDTH, height)).point(lambda dot: 255 * (dot > 127), "1") for each in pictures
    )


def fax(
    lines_per_inch: Literal[196, 98] = 196,
    coding: Literal["group3", "group4"] = "group4",
    pages: int = 1,
    secret: str | None = None,
) -> bytes:
    """Return a TIFF as a fax server stores it; `secret` stands in its tags, as senders' numbers do."""
    first, *more = pages_at(lines_per_inch, pages)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if secret is not None:
        for tag in (270, 305, 315):  # ImageDescription, Software, Artist
            tags[tag] = secret
    written = io.BytesIO()
    first.save(
        written, "TIFF", compression=coding, dpi=(204, lines_per_inch), save_all=True, append_images=more, tiffinfo=tags
    )
    return written.getvalue()


def pictures(tiff: bytes) -> list[Image.Image]:
    """Return the pages."""
    with Image.open(io.BytesIO(tiff)) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(image.copy())
        return found


def same_pictures(one: bytes, other: bytes) -> bool:
    """Return True if all dots of all pages are equal."""
    left, right = pictures(one), pictures(other)
    return len(left) == len(right) and all(
        a.size == b.size and ImageChops.difference(a.convert("L"), b.convert("L")).getbbox() is None
        for a, b in zip(left, right, strict=True)
    )


def has_same_dots(png: bytes, page: Image.Image) -> bool:
    """Return True if a drawn page shows the dots of this page, stretched where its dots are not square."""
    with Image.open(io.BytesIO(png)) as drawn:
        grey = page.convert("L").resize(drawn.size)
        return drawn.width == page.width and ImageChops.difference(drawn.convert("L"), grey).getbbox() is None


def photo(kind: Literal["JPEG", "PNG"], secret: str | None = None) -> bytes:
    """Return a photographed sheet; `secret` stands in its metadata."""
    picture = pages_at(98, 1)[0].convert("L")
    written = io.BytesIO()
    exif = Image.Exif()
    if secret is not None:
        exif[270] = secret
    more = {"comment": secret.encode()} if kind == "JPEG" and secret is not None else {}
    picture.save(written, kind, exif=exif, **more)
    return written.getvalue()


def scan(secret: str | None = None, payload: bytes = b"", pages: int = 1, password: str | None = None) -> bytes:
    """Return a PDF with everything that a PDF may carry besides its pages."""
    with pikepdf.open(io.BytesIO(sheet(pages))) as pdf:
        if secret is not None:
            pdf.docinfo["/Author"] = secret
            with pdf.open_metadata() as metadata:
                metadata["dc:title"] = secret
        if payload:
            pdf.attachments["payload"] = pikepdf.AttachedFileSpec(pdf, payload)
            pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        written = io.BytesIO()
        if password:
            pdf.save(written, encryption=pikepdf.Encryption(owner=password, user=password))
        else:
            pdf.save(written, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return written.getvalue()
