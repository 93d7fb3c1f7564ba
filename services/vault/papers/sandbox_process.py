"""Inspect the file on standard input and write its kind and pages to standard output, as JSON.

`python -m services.vault.papers.sandbox_process`. Before it reads a byte the process gives up its rights: it can open
no file or connection any more, and memory, processor time and output are bounded (setrlimit(2)).
"""

import json
import resource
import sys
from typing import Final

from PIL import Image, TiffImagePlugin

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
    """Write `{"kind", "pages"}` or `{"refused"}`."""
    Image.preinit()  # loads its decoders now, while files can be opened
    assert TiffImagePlugin  # noqa: S101  (the same)
    for limit, value in _LIMITS:
        resource.setrlimit(limit, (value, value))
    sys.stdout.write(json.dumps(_answer(sys.stdin.buffer.read(BYTES + 1))))


def _answer(data: bytes) -> dict[str, str | int]:
    try:
        facts = inspect_file(data)
    except NotAPaperError as refusal:
        return {"refused": refusal.code}
    return {"kind": facts.kind.value, "pages": facts.pages}


if __name__ == "__main__":
    main()
