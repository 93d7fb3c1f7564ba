"""Inspect a file from outside where it can do no harm: in a process of its own, which holds no key.

Image and PDF decoders are the likeliest way into a program that reads what strangers send. The process
(`decoding.py`) gets the bytes on a pipe and says one line of JSON.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass

from shared.errors import TransientError
from shared.paper_files import Kind, Look, NotAPaperError


class SandboxError(TransientError):
    """The process could not be started, or did not end in time: the paper is tried again."""


@dataclass(frozen=True)
class Sandbox:
    """`wait_s`: longest wait for an answer, seconds; with the scanner's, within the life of a transaction (60 s)."""

    wait_s: float = 30.0

    async def at(self, data: bytes) -> Look:
        """What the file is. Raises NotAPaperError, also where the decoder died of it; SandboxError."""
        process = await _start()
        try:
            async with asyncio.timeout(self.wait_s):
                said, _ = await process.communicate(data)
        except TimeoutError:
            raise SandboxError("looking at a paper took too long") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _answer(said)


async def _start() -> asyncio.subprocess.Process:
    """The environment is empty: settings name files of secrets."""
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    command = (sys.executable, "-m", "services.vault.papers.sandbox_process")
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment)
    except OSError as error:
        raise SandboxError(f"cannot look at papers ({type(error).__name__})") from None


def _answer(said: bytes) -> Look:
    """A decoder that crashed, ran out of memory or out of time says nothing: such a file is damaged for us."""
    if not said.strip():
        raise NotAPaperError("damaged")
    answer = json.loads(said)
    if "refused" in answer:
        raise NotAPaperError(answer["refused"])
    return Look(Kind(answer["kind"]), answer["pages"])
