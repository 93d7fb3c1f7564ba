"""Read the pages of a PDF from outside: repaired as common viewers repair it, within limits on what it unpacks to.

Faults that every viewer mends are mended (qpdf): a wrong cross-reference table, a wrong length of a stream, bytes
before the header (ISO 32000-1, note 13 to annex H: within the first 1,024). A file that was cut short stays damaged.
"""

import io
import zlib
from typing import Final

import pikepdf

HEADER: Final = b"%PDF-"
HEADER_WITHIN: Final = 1024
CONTENT_BYTES: Final = 32 * 1024 * 1024
"""Largest unpacked stream that is no picture; the drawing of a page takes a hundredth of it."""
ALL_BYTES: Final = 640 * 1024 * 1024
"""Largest sum of all unpacked streams: twenty pages in colour, packed without loss."""
_STEP: Final = 1024 * 1024
_FLATE: Final = frozenset({"/FlateDecode", "/Fl"})


class TooLargeError(Exception):
    """Raised when the file unpacks to more than a paper may."""


class DamagedPdfError(Exception):
    """Raised when the file cannot be mended."""


def from_header(data: bytes) -> bytes:
    """Return the PDF without what stands before its header: a printer's commands, line ends, a byte order mark."""
    start = data.find(HEADER, 0, HEADER_WITHIN + len(HEADER))
    return data[start:] if start > 0 else data


def mend(pdf: pikepdf.Pdf) -> bytes:
    """Return the opened PDF written anew. Raises TooLargeError before it unpacks too much; DamagedPdfError."""
    _check_sizes(pdf)
    written = io.BytesIO()
    pdf.save(
        written,
        fix_metadata_version=False,
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
    )
    mended = written.getvalue()
    with pikepdf.open(io.BytesIO(mended), suppress_warnings=True) as copy:
        if copy.check_pdf_syntax():
            raise DamagedPdfError
    return mended


def _check_sizes(pdf: pikepdf.Pdf) -> None:
    left = ALL_BYTES
    for item in pdf.objects:
        if isinstance(item, pikepdf.Stream):
            most = left if item.get("/Subtype") == pikepdf.Name.Image else min(left, CONTENT_BYTES)
            left -= _unpacked(item, most)


def _unpacked(stream: pikepdf.Stream, most: int) -> int:
    """Return the unpacked size of the stream in bytes, as far as Flate packs it. Raises TooLargeError above `most`."""
    data, size = stream.read_raw_bytes(), 0
    for name in _filters(stream):
        if name not in _FLATE:
            break
        data = _inflate(data, most)
        size = len(data)
    return size


def _filters(stream: pikepdf.Stream) -> list[str]:
    found = stream.get("/Filter")
    if found is None:
        return []
    return [str(name) for name in found] if isinstance(found, pikepdf.Array) else [str(found)]


def _inflate(data: bytes, most: int) -> bytes:
    """Return unpacked bytes; those up to a fault where there is one. Raises TooLargeError above `most`."""
    unpacker, pieces, size = zlib.decompressobj(), list[bytes](), 0
    try:
        while data and not unpacker.eof:
            piece = unpacker.decompress(data, _STEP)
            data, size = unpacker.unconsumed_tail, size + len(piece)
            if size > most:
                raise TooLargeError
            pieces.append(piece)
    except zlib.error:
        pass
    return b"".join(pieces)
