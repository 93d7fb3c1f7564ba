"""Inspect a file from outside where it can do no harm: in a process of its own, which holds no key.

Image and PDF decoders are the likeliest way into a program that reads what strangers send. The process
(`sandbox_process.py`) gets the bytes on a pipe and answers with one line of JSON, with a picture of one page, or both.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import Final

from services.vault.papers.confinement import NOT_CONFINED
from shared.errors import TransientError
from shared.logging import get_logger
from shared.paper_files import FileFacts, Kind, NotAPaperError
from shared.sheet_layout import Box

_log = get_logger(__name__)

_OUT_OF_BOUNDS: Final = (-signal.SIGXCPU, -signal.SIGKILL)
"""Exit statuses of a process that used more processor time or memory than a paper may take."""

PNG: Final = b"\x89PNG\r\n\x1a\n"
"""Beginning of a picture; whatever else the process writes is none."""


class SandboxError(TransientError):
    """Raised when the process could not be started, or did not end in time: the paper is tried again."""


@dataclass(frozen=True)
class Sandbox:
    """Inspect files. `wait_s` is the longest wait; with the scanner's it must end within a transaction (60 s)."""

    wait_s: float = 30.0

    async def inspect(self, data: bytes) -> FileFacts:
        """Return kind and pages of the file. Raises NotAPaperError, also if the decoder crashed; SandboxError."""
        return _parse(await self._run(data))

    async def picture(self, data: bytes, page: int) -> bytes:
        """Return a page, counted from 0, as PNG. Raises NotAPaperError where it cannot be drawn; SandboxError."""
        answer = await self._run(data, str(page))
        if not answer.startswith(PNG):
            raise NotAPaperError("damaged")
        return answer

    async def first(self, data: bytes, code: str) -> tuple[bytes, dict[str, Box]]:
        """Return the first page as PNG, and the place of each field on it; no places where it is not our sheet.

        `code`: rows of the printed code, 0 and 1, joined by commas. Raises as `picture` does.
        """
        boxes, _, picture = (await self._run(data, "first", code)).partition(b"\n")
        if not picture.startswith(PNG):
            raise NotAPaperError("damaged")
        found: dict[str, Box] = json.loads(boxes)
        return picture, found

    async def _run(self, data: bytes, *arguments: str) -> bytes:
        process = await start_process(*arguments)
        try:
            async with asyncio.timeout(self.wait_s):
                answer, _ = await process.communicate(data)
        except TimeoutError:
            raise SandboxError("inspecting a paper took too long") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == NOT_CONFINED:
            _log.error("sandbox-not-confined")
            raise SandboxError("the process that decodes papers cannot be confined; papers wait until it can be")
        if process.returncode in _OUT_OF_BOUNDS:
            raise NotAPaperError("too-large")
        return answer


async def start_process(*arguments: str) -> asyncio.subprocess.Process:
    """Start the process with an empty environment, because settings name files of secrets.

    The search path is given whole, so `-S` leaves the module `site` out: it is a tenth of the time to start.
    """
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    command = (sys.executable, "-S", "-m", "services.vault.papers.sandbox_process", *arguments)
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment)
    except OSError as error:
        raise SandboxError(f"cannot inspect papers ({type(error).__name__})") from None


def _parse(answer: bytes) -> FileFacts:
    """Read the answer. A decoder that crashed or ran out of memory or time gives none: the file counts as damaged."""
    if not answer.strip():
        raise NotAPaperError("damaged")
    result = json.loads(answer)
    if "refused" in result:
        raise NotAPaperError(result["refused"])
    return FileFacts(Kind(result["kind"]), result["pages"])
