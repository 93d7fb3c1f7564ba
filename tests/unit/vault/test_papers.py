"""The paper inbox without servers: states, the process that decodes, and a scanner that does not do as it should."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from PIL import Image

from services.vault.papers.clamd import Scanner, ScannerUnavailableError
from services.vault.papers.rules.states import STATES, UNSETTLED, PaperState
from services.vault.papers.sandbox import Sandbox, SandboxError
from shared.errors import ConfigurationError, NotReadyError
from shared.paper_files import Kind, NotAPaperError
from tests.support import fax_images

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def test_the_table_holds_every_state_and_no_transition_leads_back_to_the_keying_queue():
    assert set(STATES.after) == set(PaperState)
    assert STATES.before(PaperState.WAITING) == []
    assert set(STATES.before(PaperState.DISCARDED)) == UNSETTLED == {"waiting", "quarantined", "unreadable"}


@pytest.mark.parametrize(
    ("data", "kind", "pages"),
    [
        (fax_images.fax(98, "group3", 3), Kind.TIFF, 3),
        (fax_images.fax(196, "group4", 2), Kind.TIFF, 2),
        (fax_images.scan(pages=2), Kind.PDF, 2),
        (fax_images.photo("JPEG"), Kind.JPEG, 1),
        (fax_images.photo("PNG"), Kind.PNG, 1),
    ],
    ids=["g3", "g4", "pdf", "jpeg", "png"],
)
async def test_a_process_without_keys_says_what_a_file_is(data: bytes, kind: Kind, pages: int):
    found = await Sandbox().inspect(data)
    assert (found.kind, found.pages) == (kind, pages)


async def test_a_bomb_is_refused_and_costs_that_process_only():
    written = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(written, "PNG")
    with pytest.raises(NotAPaperError, match="too-many-pixels"):
        await Sandbox().inspect(written.getvalue())


async def test_the_process_inherits_no_secret(monkeypatch: pytest.MonkeyPatch):
    """Its environment is what we give it: were it ours, this variable would send it to a Python that is not there."""
    monkeypatch.setitem(os.environ, "PYTHONHOME", "/nowhere")
    assert (await Sandbox().inspect(fax_images.fax(98))).pages == 1


def test_the_process_loads_nothing_that_it_does_not_need_because_it_starts_for_every_page():
    # With the models of campaigns and the writers of logs it took a second of a processor instead of a third.
    slow = ("pydantic", "structlog", "rich", "yaml", "motor", "cryptography", "pikepdf", "pypdfium2")
    program = f"import sys, services.vault.papers.sandbox_process; print([m for m in {slow} if m in sys.modules])"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


async def test_looking_that_takes_too_long_blames_no_paper():
    with pytest.raises(SandboxError):
        await Sandbox(wait_s=0.001).inspect(fax_images.fax())


@pytest.mark.parametrize("url", ["http://127.0.0.1", "/run/clamd", ""])
def test_a_scanner_that_cannot_be_one_stops_the_start(url: str):
    with pytest.raises(ConfigurationError, match="KUJI_CLAMD_URL"):
        Scanner(url)


async def test_without_a_scanner_nothing_is_infected():
    assert await Scanner(None).is_infected(b"anything") is False


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def hangs_up(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    return


async def over_its_limit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\0")
    writer.write(b"INSTREAM size limit exceeded. ERROR\0")


@asynccontextmanager
async def scanner_that(answering: Answering) -> AsyncIterator[str]:
    """Its address; every connection is closed before this ends."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await ended.wait()


@pytest.mark.parametrize("answering", [silent, hangs_up, over_its_limit])
async def test_a_scanner_that_gives_no_verdict_never_lets_a_paper_through(answering: Answering):
    async with scanner_that(answering) as url:
        with pytest.raises(ScannerUnavailableError):
            await Scanner(url, timeout_s=0.3).is_infected(fax_images.fax())
    assert issubclass(ScannerUnavailableError, NotReadyError)
