"""`python -m services.vault.papers.sandbox_process`: a file on standard input, what it is on standard output, as JSON.

Before it reads a byte it gives up what it could be misused for: no file or connection can be opened any more, and
memory, computing time and output are bounded (setrlimit(2)).
"""

import json
import resource
import sys
from typing import Any, Final

from PIL import Image, TiffImagePlugin

from shared.paper_files import BYTES, NotAPaperError, look

_LIMITS: Final = (
    (resource.RLIMIT_AS, 1024**3),
    (resource.RLIMIT_CPU, 20),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 0),
)
"""Bytes, seconds, bytes, bytes, handles."""


def main() -> None:
    """Answers `{"kind", "pages"}` or `{"refused"}`."""
    Image.preinit()  # loads its decoders now, while files can be opened
    assert TiffImagePlugin  # noqa: S101  (the same)
    for limit, value in _LIMITS:
        resource.setrlimit(limit, (value, value))
    sys.stdout.write(json.dumps(_answer(sys.stdin.buffer.read(BYTES + 1))))


def _answer(data: bytes) -> dict[str, Any]:
    try:
        found = look(data)
    except NotAPaperError as refusal:
        return {"refused": refusal.code}
    return {"kind": found.kind.value, "pages": found.pages}


if __name__ == "__main__":
    main()
