"""Faxes and letters of the demo: sheets of several applicants in one paper, as schools send them. Pure."""

import hashlib
import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

from PIL import Image

from deploy.demo.application import DemoApplication
from shared.contracts import PaperChannel
from shared.ids import PaperId

_SHEETS: Final = 20
"""Applications in one paper, as many as a handler may key from it."""

_SIZE: Final = (204, 288)


@dataclass(frozen=True)
class DemoPaper:
    """A paper with the sheets of these applications, in order. `serial`: the number stamped on it."""

    paper_id: PaperId
    channel: PaperChannel
    serial: str
    received_at: datetime
    applications: tuple[DemoApplication, ...] = field(repr=False)

    @property
    def picture(self) -> bytes:
        """The scan: an empty page, because a handler of the demo reads no writing."""
        return _empty_page()


def papers_of(applications: Sequence[DemoApplication], received_at: datetime) -> list[DemoPaper]:
    """Return the papers on which the faxes and letters among these applications arrive."""
    channels: tuple[PaperChannel, ...] = ("fax", "post")
    return [paper for channel in channels for paper in _of_channel(channel, applications, received_at)]


def _of_channel(
    channel: PaperChannel, applications: Sequence[DemoApplication], received_at: datetime
) -> Iterator[DemoPaper]:
    sheets = [application for application in applications if application.channel == channel]
    for start in range(0, len(sheets), _SHEETS):
        part = tuple(sheets[start : start + _SHEETS])
        digest = hashlib.sha256(f"paper {part[0].application_id}".encode()).digest()
        paper_id = PaperId(str(uuid.UUID(bytes=digest[:16], version=4)))
        yield DemoPaper(paper_id, channel, f"DEMO-{digest[16:20].hex()}", received_at, part)


@cache
def _empty_page() -> bytes:
    content = io.BytesIO()
    Image.new("1", _SIZE, 1).save(content, "PNG")
    return content.getvalue()
