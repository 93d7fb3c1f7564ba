"""Files with faults that every viewer passes over, and files that unpack to far more than a paper."""

import io
import re
import struct
import zlib

import pikepdf
from PIL import Image

from tests.support import fax_images

_ENTRY = 12
ORIENTATION, Y_RESOLUTION, RESOLUTION_UNIT, SOFTWARE = 274, 283, 296, 305


def tiff_with_two_resolutions() -> bytes:
    """Return a G4 fax whose tag 283 has two values."""
    return _patched(fax_images.fax(), Y_RESOLUTION, count=2)


def tiff_with_two_orientations() -> bytes:
    """Return a G4 fax that gives its orientation twice."""
    written = io.BytesIO()
    with Image.open(io.BytesIO(fax_images.fax())) as image:
        image.save(written, "TIFF", compression="group4", dpi=(204, 196), tiffinfo={ORIENTATION: 1})
    return _patched(written.getvalue(), RESOLUTION_UNIT, tag=ORIENTATION)


def photo_with_tags_past_the_end() -> bytes:
    """Return a JPEG whose EXIF names more values than there are bytes."""
    exif, written = Image.Exif(), io.BytesIO()
    exif[SOFTWARE] = "a scanner"
    with Image.open(io.BytesIO(fax_images.photo("JPEG"))) as image:
        image.save(written, "JPEG", exif=exif)
    whole = written.getvalue()
    start = whole.index(b"Exif\0\0") + 6
    return whole[:start] + _patched(whole[start:], SOFTWARE, count=60_000)


def telephone_photo() -> bytes:
    """Return a JPEG with a preview behind it (MPO), as telephones write it."""
    written = io.BytesIO()
    with Image.open(io.BytesIO(fax_images.photo("JPEG"))) as image:
        first = image.convert("RGB")
        first.save(written, "MPO", save_all=True, append_images=[first.resize((160, 120))])
    return written.getvalue()


def _patched(data: bytes, wanted: int, *, tag: int | None = None, count: int | None = None) -> bytes:
    """Return a TIFF structure with one entry of its first directory changed."""
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(f"{order}I", data, 4)[0]
    changed = bytearray(data)
    for number in range(struct.unpack_from(f"{order}H", data, at)[0]):
        entry = at + 2 + number * _ENTRY
        if struct.unpack_from(f"{order}H", data, entry)[0] == wanted:
            if tag is not None:
                struct.pack_into(f"{order}H", changed, entry, tag)
            if count is not None:
                struct.pack_into(f"{order}I", changed, entry + 4, count)
            return bytes(changed)
    raise ValueError("the file has no such tag")


def pdf_with_wrong_startxref() -> bytes:
    """Return a PDF whose last cross-reference stands three bytes from where it says."""
    pdf = fax_images.scan()
    start = pdf.rindex(b"startxref") + len(b"startxref\n")
    end = pdf.index(b"\n", start)
    return pdf[:start] + str(int(pdf[start:end]) + 3).encode() + pdf[end:]


def pdf_with_short_length() -> bytes:
    """Return a PDF whose longest stream is five bytes longer than it says."""
    pdf = fax_images.scan()
    longest = max(re.finditer(rb"/Length (\d+)", pdf), key=lambda found: int(found[1]))
    length = str(int(longest[1]) - 5).rjust(len(longest[1])).encode()
    return pdf[: longest.start(1)] + length + pdf[longest.end(1) :]


PREFIXES = {
    "pjl": b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n",
    "line-end": b"\r\n",
    "byte-order-mark": b"\xef\xbb\xbf",
}


def pdf_behind(prefix: bytes) -> bytes:
    """Return a PDF whose header does not stand at the beginning."""
    return prefix + fax_images.scan() + (b"\x1b%-12345X" if b"PJL" in prefix else b"")


def pdf_that_unpacks_to(size: int, times: int = 1) -> bytes:
    """Return a PDF whose page has a stream of so many bytes, packed `times` times."""
    packer, packed = zlib.compressobj(9), list[bytes]()
    block = b"0 0 m 1 1 l S\n" * 80_000
    for _ in range(size // len(block)):
        packed.append(packer.compress(block))
    content = b"".join([*packed, packer.flush()])
    for _ in range(times - 1):
        content = zlib.compress(content, 9)
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        filters = pikepdf.Array([pikepdf.Name.FlateDecode] * times)
        page.obj.Contents = pdf.make_stream(b"")
        page.obj.Contents.write(content, filter=filters)
        written = io.BytesIO()
        pdf.save(written, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return written.getvalue()
