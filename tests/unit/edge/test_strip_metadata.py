"""Only pages go on: every dot of them, and nothing that stood beside them."""

import io
from typing import Literal

import pikepdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from deploy.edge import jpeg
from deploy.edge.strip_metadata import strip_metadata
from shared.paper_files import BYTES, PAGES, Kind, NotAPaperError, inspect_file
from tests.support import fax_images

SECRET = "kanaria-0312345678"


def holds_secret(data: bytes) -> bool:
    return any(SECRET.encode(coding) in data for coding in ("utf-8", "utf-16-le", "utf-16-be"))


def rendered(pdf: bytes) -> list[Image.Image]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=1).to_pil() for page in document]
    finally:
        document.close()


@pytest.mark.parametrize("lines", [196, 98])
@pytest.mark.parametrize("coding", ["group3", "group4"])
def test_a_fax_keeps_every_dot_its_coding_and_its_density_and_loses_its_tags(
    lines: Literal[196, 98], coding: Literal["group3", "group4"]
):
    came = fax_images.fax(lines, coding, 3, SECRET)
    goes = strip_metadata(came)
    assert holds_secret(came)
    assert not holds_secret(goes)
    assert fax_images.same_pictures(came, goes)
    with Image.open(io.BytesIO(goes)) as image:
        assert (image.info["compression"], image.info["dpi"]) == (coding, (204, lines))
        assert not {270, 305, 315} & set(image.tag_v2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_keeps_every_dot_and_loses_its_metadata(kind: Literal["JPEG", "PNG"]):
    came = fax_images.photo(kind, SECRET)
    goes = strip_metadata(came + (b"" if kind == "PNG" else SECRET.encode()))
    assert holds_secret(came)
    assert not holds_secret(goes)
    with Image.open(io.BytesIO(came)) as one, Image.open(io.BytesIO(goes)) as other:
        assert ImageChops.difference(one, other).getbbox() is None
        assert not other.getexif()


def test_a_photo_that_was_taken_sideways_is_turned_before_its_orientation_is_forgotten():
    exif = Image.Exif()
    exif[0x0112] = 6
    written = io.BytesIO()
    Image.new("RGB", (300, 100), "white").save(written, "JPEG", exif=exif)
    with Image.open(io.BytesIO(strip_metadata(written.getvalue()))) as image:
        assert image.size == (100, 300)


def test_a_pdf_keeps_its_pages_and_loses_information_scripts_and_attachments():
    came = fax_images.scan(SECRET, SECRET.encode(), 2)
    goes = strip_metadata(came)
    assert holds_secret(came)
    assert not holds_secret(goes)
    with pikepdf.open(io.BytesIO(goes)) as pdf:
        assert set(pdf.Root.keys()) == {"/Type", "/Pages"}
        assert not pdf.attachments
        assert not pdf.docinfo
    for one, other in zip(rendered(came), rendered(goes), strict=True):
        assert ImageChops.difference(one, other).getbbox() is None


def test_a_photo_inside_a_pdf_loses_its_metadata_too():
    with Image.open(io.BytesIO(fax_images.photo("JPEG", SECRET))) as picture:
        size = picture.size
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        photo = pdf.make_stream(
            fax_images.photo("JPEG", SECRET), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=size[0],
            Height=size[1], ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
        )  # fmt: skip
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=photo))
        page.obj.Contents = pdf.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q")
        written = io.BytesIO()
        pdf.save(written)
    goes = strip_metadata(written.getvalue())
    assert holds_secret(written.getvalue())
    assert not holds_secret(goes)
    [one], [other] = rendered(written.getvalue()), rendered(goes)
    assert ImageChops.difference(one, other).getbbox() is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"MZ" + bytes(100), "unknown-kind"),
        (b"%PDF-1.7 " + bytes(BYTES), "too-large"),
        (fax_images.fax()[:2000], "damaged"),
        (fax_images.photo("JPEG")[:-500], "damaged"),
        (fax_images.photo("PNG")[:-500], "damaged"),
        (fax_images.scan()[:-300], "damaged"),
        (b"%PDF-1.7\n" + fax_images.photo("PNG"), "damaged"),
        (fax_images.scan(password="x"), "encrypted"),
        (fax_images.scan(pages=PAGES + 1), "too-many-pages"),
        (fax_images.fax(98, pages=PAGES + 1), "too-many-pages"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_of_another_kind_than_its_name_is_refused_with_a_code(data: bytes, code: str):
    with pytest.raises(NotAPaperError) as caught:
        strip_metadata(data)
    assert caught.value.code == code


def test_a_picture_larger_than_any_scanner_makes_is_refused_before_it_is_decoded():
    written = io.BytesIO()
    Image.new("1", (7000, 7000)).save(written, "PNG")
    with pytest.raises(NotAPaperError, match="too-many-pixels"):
        inspect_file(written.getvalue())


@given(st.sampled_from(list(Kind)), st.binary(max_size=200))
def test_whatever_follows_the_first_bytes_it_is_a_paper_or_a_refusal(kind: Kind, rest: bytes):
    heads = {Kind.TIFF: b"II*\x00", Kind.PDF: b"%PDF-", Kind.JPEG: b"\xff\xd8\xff", Kind.PNG: b"\x89PNG\r\n\x1a\n"}
    with pytest.raises(NotAPaperError):
        strip_metadata(heads[kind] + rest)


@given(st.integers(0, 62_000))
def test_a_jpeg_that_ends_anywhere_is_refused(end: int):
    whole = fax_images.photo("JPEG")
    with pytest.raises(jpeg.NotJpegError):
        jpeg.bare(whole[: min(end, len(whole) - 2)])
