"""Draw the QR code of a pass as a PNG. Pure."""

import math
import struct
import zlib
from itertools import pairwise
from typing import Final

import zxingcpp

_SIDE: Final = 8
"""Pixels of a module's side: one byte of a row in a picture of one bit a pixel."""

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_SAME_AS_ABOVE: Final = 2
"""PNG filter type "up": a row of zeros repeats the row above."""


def draw_pass(code: str) -> bytes:
    """Return a PNG (1 bit a pixel) of the QR code with error correction M and a margin of four modules."""
    barcode = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    modules = bytes(zxingcpp.write_barcode_to_image(barcode, scale=1))  # type: ignore[call-overload]  # a buffer
    width = math.isqrt(len(modules))
    rows = _rows(modules, width)
    repeated = (bytes([_SAME_AS_ABOVE]) + bytes(width)) * (_SIDE - 1)
    pixels = b"".join(b"\0" + row + repeated for row in rows)
    header = struct.pack(">IIBBBBB", width * _SIDE, width * _SIDE, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, zlib.Z_BEST_SPEED)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _rows(modules: bytes, width: int) -> list[bytes]:
    """Return the rows; a module is 0x00 if dark and 0xFF if light, which is also its eight pixels."""
    return [modules[start:end] for start, end in pairwise(range(0, len(modules) + 1, width))]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
