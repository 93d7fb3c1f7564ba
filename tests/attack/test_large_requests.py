"""Attack a11: a request of 300 MB without a token, to every service.

On commit 684719a lottery, vault and notifier read the whole body before they looked at the token: 1 GB of memory each.
"""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import uvicorn

from shared.web.slow_clients import TimedHttpProtocol
from tests.support.offline_services import BUILDERS, build_offline
from tests.support.waiting import until

BODY = 300 * 1000 * 1000
MOST_MEMORY = 48 * 1024 * 1024
CAMPAIGN = "/v1/campaigns/777-days"
PIECE = b"x" * 65_536

STAFF_ROUTES = [
    ("intake", f"{CAMPAIGN}/papers"),
    ("intake", "/v1/parked/00000000000000000000000000000000/replay"),
    ("lottery", f"{CAMPAIGN}/freeze"),
    ("lottery", f"{CAMPAIGN}/reception/scans"),
    ("lottery", f"{CAMPAIGN}/stamps"),
    ("notifier", f"{CAMPAIGN}/notices/n-1/resolve"),
    ("vault", f"{CAMPAIGN}/erasure"),
    ("vault", "/v1/lock"),
    *((service, "/no/such/address") for service in BUILDERS),
]
OPEN_ROUTES = [
    ("intake", f"{CAMPAIGN}/applications"),
    ("lottery", f"{CAMPAIGN}/places/own"),
    ("lottery", f"{CAMPAIGN}/places/own/answer"),
    ("lottery", "/sign-out"),
]


@asynccontextmanager
async def serving(service: str, folder: Path) -> AsyncIterator[int]:
    """Serve the app on a port of its own, without broker and database: no attack of this file gets that far."""
    app, stores = build_offline(service, folder)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=TimedHttpProtocol, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()
        for store in stores:
            await store.close()


async def attack(port: int, path: str, *, chunked: bool) -> tuple[int, int]:
    """Send 300 MB; return the status of the answer and the bytes by which the process grew meanwhile."""
    gc.collect()
    process = psutil.Process()
    before = most = process.memory_info().rss
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {BODY}"
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode())
    answer = asyncio.create_task(reader.read(4096))
    piece = b"%x\r\n%b\r\n" % (len(PIECE), PIECE) if chunked else PIECE
    try:
        for _ in range(BODY // len(PIECE)):
            writer.write(piece)
            async with asyncio.timeout(5):
                await writer.drain()
            most = max(most, process.memory_info().rss)
    except (ConnectionError, TimeoutError):
        pass  # the service has closed, or reads no more
    writer.close()
    async with asyncio.timeout(60):
        status = int((await answer).split()[1])
    return status, most - before


@pytest.mark.parametrize("framing", ["announced", "in chunks"])
@pytest.mark.parametrize(("service", "path"), STAFF_ROUTES)
async def test_a11_a_body_without_a_session_is_refused_unread(
    service: str, path: str, framing: str, tmp_path: Path
) -> None:
    async with serving(service, tmp_path) as port:
        status, grown = await attack(port, path, chunked=framing == "in chunks")
    assert status == 401
    assert grown < MOST_MEMORY


@pytest.mark.parametrize("framing", ["announced", "in chunks"])
@pytest.mark.parametrize(("service", "path"), OPEN_ROUTES)
async def test_a11_a_large_body_to_an_open_route_is_refused_with_bounded_memory(
    service: str, path: str, framing: str, tmp_path: Path
) -> None:
    async with serving(service, tmp_path) as port:
        status, grown = await attack(port, path, chunked=framing == "in chunks")
    assert status == 413
    assert grown < MOST_MEMORY
