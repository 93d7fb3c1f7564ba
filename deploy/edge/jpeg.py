"""A JPEG without anything but its picture, not decoded and so not a dot worse.

Source: ITU-T T.81 annex B: segments before and between scans; entropy-coded data holds 0xFF only before 0x00 or RST.
"""

from typing import Final

_SOI: Final = b"\xff\xd8"
_EOI, _SOS, _COMMENT = 0xD9, 0xDA, 0xFE
_KEPT_APPS: Final = frozenset({0xE0, 0xEE})
"""JFIF (density) and Adobe (colour transform): both say how the dots are meant."""


class NotJpegError(ValueError):
    """Raised when the segments of a JPEG file are not in order."""


def bare(data: bytes) -> bytes:
    """Remove EXIF, XMP, profiles, comments, and bytes after the end. Raises NotJpegError."""
    if not data.startswith(_SOI):
        raise NotJpegError("no start")
    kept, at = bytearray(_SOI), 2
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004  (every marker begins so)
        marker = data[at + 1]
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SOS:
            end = _end_of_scan(data, end)
        if not (0xE0 <= marker <= 0xEF and marker not in _KEPT_APPS) and marker != _COMMENT:  # noqa: PLR2004  (APP0–15)
            kept += data[at:end]
        at = end
        if data[at : at + 2] == bytes((0xFF, _EOI)):
            return bytes(kept + data[at : at + 2])
    raise NotJpegError("no end")


def _end_of_scan(data: bytes, at: int) -> int:
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        following = data[at + 1]
        if following != 0 and not 0xD0 <= following <= 0xD7:  # noqa: PLR2004  (stuffing, restart markers)
            return at
        at += 2
    raise NotJpegError("no end of a scan")
