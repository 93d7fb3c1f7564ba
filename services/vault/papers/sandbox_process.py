"""Inspect the file on standard input and write its kind and pages to standard output, as JSON; or draw one page;
or draw the first page and find the fields of our sheet on it.

`python -m services.vault.papers.sandbox_process [PAGE | first CODE]`, CODE: rows of 0 and 1, joined by commas.
Before it decodes a byte the process gives up its rights (`confinement.py`): it can compute and answer, and nothing
else. Memory and processor time are bounded (setrlimit(2)).
"""

import json
import resource
import sys
from typing import Final

from PIL import Image, MpoImagePlugin, TiffImagePlugin

from services.vault.papers.confinement import NOT_CONFINED, NotConfinedError, confine
from services.vault.papers.draw_page import draw_page, picture_of, png_of
from services.vault.papers.find_fields import find_fields
from shared.paper_files import BYTES, Kind, NotAPaperError, inspect_file, kind_of
from shared.sheet_layout import Box

FIRST: Final = "first"

_LIMITS: Final = (
    (resource.RLIMIT_AS, 1024**3),
    (resource.RLIMIT_CPU, 10),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 0),
)
"""Bytes, seconds, bytes, bytes, handles."""


def main() -> None:
    """Write `{"kind", "pages"}` or `{"refused"}`; with a page number the page as PNG, or nothing.

    For the first page with its fields: a line of JSON with their places, and the PNG behind it.
    """
    data = sys.stdin.buffer.read(BYTES + 1)
    _load_decoders(kind_of(data))
    give_up_rights()
    if sys.argv[1:2] == [FIRST]:
        sys.stdout.buffer.write(_first(data, sys.argv[2]))
    elif len(sys.argv) > 1:
        sys.stdout.buffer.write(_picture(data, int(sys.argv[1])))
    else:
        sys.stdout.write(json.dumps(_answer(data)))


def give_up_rights() -> None:
    """Bound what the process uses, and confine it; where that fails, end it with NOT_CONFINED."""
    for limit, value in _LIMITS:
        resource.setrlimit(limit, (value, value))
    try:
        confine()
    except NotConfinedError:
        sys.exit(NOT_CONFINED)


def _load_decoders(kind: Kind | None) -> None:
    """Load the decoders of this kind now, while files can be opened. Those of PDF take 0.3 s and are left out else."""
    Image.preinit()
    assert MpoImagePlugin  # noqa: S101
    assert TiffImagePlugin  # noqa: S101
    if kind is Kind.PDF:
        import pikepdf  # noqa: PLC0415
        import pypdfium2  # noqa: PLC0415

        from shared import pdf_pages  # noqa: PLC0415

        assert pikepdf  # noqa: S101
        assert pypdfium2  # noqa: S101
        assert pdf_pages  # noqa: S101


def _picture(data: bytes, page: int) -> bytes:
    try:
        return draw_page(data, page)
    except NotAPaperError:
        return b""


def _first(data: bytes, code: str) -> bytes:
    try:
        picture = picture_of(data, 0)
    except NotAPaperError:
        return b""
    return json.dumps(_fields(picture, code)).encode() + b"\n" + png_of(picture)


def _fields(picture: Image.Image, code: str) -> dict[str, Box]:
    """Return the places of the fields; none where looking for them fails: the picture is shown in any case."""
    try:
        return find_fields(picture, [[int(dot) for dot in row] for row in code.split(",")])
    except Exception:  # noqa: BLE001  (whatever a stranger's paper makes of the search)
        return {}


def _answer(data: bytes) -> dict[str, str | int]:
    try:
        facts = inspect_file(data)
    except NotAPaperError as refusal:
        return {"refused": refusal.code}
    return {"kind": facts.kind.value, "pages": facts.pages}


if __name__ == "__main__":
    main()
