"""Draw the passes of a mail: the sender gives the text of each, the relay draws the QR code. Pure.

So no picture ever comes in from a sender, and what leaves can hold a pass and nothing else (R-S4).
"""

import io
import re
from dataclasses import dataclass, field
from email.message import Message
from email.mime.image import MIMEImage
from typing import Any, Final

import segno

MEDIA_TYPE: Final = "application/vnd.kuji.pass"
_FORM: Final = re.compile(rb"(KP1:[A-Z2-7]{160})(?:\r?\n)?")
_NUMBER: Final = re.compile(r"[1-9][0-9]?")
_PIXELS: Final = 8
"""Side of a module: 424 pixels for the whole picture, legible on a telephone and in print."""


@dataclass(frozen=True)
class Picture:
    """Pass (`docs/protocols.md` §2) of the class with this number."""

    code: str = field(repr=False)
    number: str

    def drawn(self) -> "Message[Any, Any]":
        """Return the QR code (error correction M) as an attached PNG of about 1 KiB."""
        out = io.BytesIO()
        segno.make(self.code, error="m", micro=False, boost_error=False).save(out, kind="png", scale=_PIXELS, border=4)
        image = MIMEImage(out.getvalue(), "png")
        image.add_header("Content-Disposition", "attachment", filename=f"pass-{self.number}.png")
        return image


def picture_of(part: "Message[Any, Any]") -> Picture | None:
    """Return the pass that a part holds; None if it holds none, or more than one."""
    said, number = part.get_payload(decode=True), part.get_param("number")
    form = _FORM.fullmatch(said) if isinstance(said, bytes) else None
    if form is None or not isinstance(number, str) or not _NUMBER.fullmatch(number):
        return None
    return Picture(form[1].decode("ascii"), number)
