"""Inspect the file on standard input and write its kind and pages to standard output, as JSON; or draw one page.

`python -m services.vault.papers.sandbox_process [PAGE]`. Before it reads a byte the process gives up its rights
(`confinement.py`): it can compute and answer, and nothing else. Memory and processor time are bounded (setrlimit(2)).
"""

import json
import resource
import sys
from typing import Final

import pypdfium2
from PIL import Image, TiffImagePlugin

from services.vault.papers.confinement import NOT_CONFINED, NotConfinedError, confine
from services.vault.papers.draw_page import draw_page
from shared.paper_files import BYTES, NotAPaperError, inspect_file

_LIMITS: Final = (
    (resource.RLIMIT_AS, 1024**3),
    (resource.RLIMIT_CPU, 20),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 0),
)
"""Bytes, seconds, bytes, bytes, handles."""


def main() -> None:
    """Write `{"kind", "pages"}` or `{"refused"}`; with a page number the page as PNG, or nothing."""
    Image.init()  # loads its decoders now, while files can be opened
    assert TiffImagePlugin  # noqa: S101  (the same)
    assert pypdfium2  # noqa: S101  (the same)
    give_up_rights()
    data = sys.stdin.buffer.read(BYTES + 1)
    if len(sys.argv) > 1:
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


def _picture(data: bytes, page: int) -> bytes:
    try:
        return draw_page(data, page)
    except NotAPaperError:
        return b""


def _answer(data: bytes) -> dict[str, str | int]:
    try:
        facts = inspect_file(data)
    except NotAPaperError as refusal:
        return {"refused": refusal.code}
    return {"kind": facts.kind.value, "pages": facts.pages}


if __name__ == "__main__":
    main()
