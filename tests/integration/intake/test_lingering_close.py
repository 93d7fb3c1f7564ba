"""An answer that is sent before the body was read whole arrives, even at a client that sends everything first."""

import asyncio
import importlib.util
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from deploy.local.authority import Authority
from shared.web import lingering_close, slow_clients
from tests.support.waiting import until

TOO_LARGE = "この写しは大きすぎます".encode()
MOST = 64 * 1024
PIECE = b"x" * 65_536
PIECES = 500


def app() -> FastAPI:
    """Return an app that reads `MOST` bytes of a body and refuses a longer one."""
    service = FastAPI()

    @service.post("/")
    async def take(request: Request) -> Response:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > MOST:
                return Response(TOO_LARGE, 413, {"Connection": "close"})
        return Response(b"taken")

    return service


@pytest.fixture(params=["httptools", "h11"])
def protocol(request: pytest.FixtureRequest) -> Any:
    """Return our protocol on either parser: only the intake's installation has httptools."""
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "h11":
            patched.setitem(sys.modules, "httptools", None)
        patched.delitem(sys.modules, "uvicorn.protocols.http.auto")
        spec = importlib.util.spec_from_file_location(f"slow_clients_{request.param}", slow_clients.__file__)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    assert module.TimedHttpProtocol.__mro__[1].__module__ == f"uvicorn.protocols.http.{request.param}_impl"
    return module.TimedHttpProtocol


@asynccontextmanager
async def serving(protocol: Any, **options: Any) -> AsyncIterator[tuple[int, uvicorn.Server]]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app(), http=protocol, log_config=None, lifespan="off", **options))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield listener.getsockname()[1], server
    finally:
        server.should_exit = True
        await task
        listener.close()


def head(framing: str) -> bytes:
    length = "Transfer-Encoding: chunked" if framing == "in chunks" else f"Content-Length: {PIECES * len(PIECE)}"
    return f"POST / HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode()


def pieces(framing: str) -> bytes:
    return b"%x\r\n%b\r\n" % (len(PIECE), PIECE) if framing == "in chunks" else PIECE


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def read_all(client: socket.socket) -> bytes:
    answer = bytearray()
    while piece := client.recv(65_536):
        answer += piece
    return bytes(answer)


def send_then_read(client: socket.socket, framing: str) -> bytes:
    """Send all of a large body, and look at the answer only afterwards, as simple clients do."""
    with client:
        client.sendall(head(framing))
        for _ in range(PIECES):
            client.sendall(pieces(framing))
        return read_all(client)


def send_without_end(client: socket.socket) -> None:
    with client, suppress(ConnectionError):
        client.sendall(head("in chunks"))
        while True:
            client.sendall(pieces("in chunks"))


@pytest.mark.parametrize("framing", ["announced", "in chunks"])
async def test_a_client_that_sends_everything_first_reads_the_refusal(protocol: Any, framing: str):
    async with serving(protocol) as (port, _):
        answer = await asyncio.to_thread(send_then_read, connect(port), framing)
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(TOO_LARGE)


async def test_a_client_under_tls_reads_the_refusal_too(protocol: Any, tmp_path: Path):
    authority = Authority.create()
    (tmp_path / "tls.pem").write_bytes(authority.issue(["127.0.0.1"]).both)
    context = ssl.create_default_context(cadata=authority.pem.decode())

    def send(port: int) -> bytes:
        return send_then_read(context.wrap_socket(connect(port), server_hostname="127.0.0.1"), "announced")

    async with serving(protocol, ssl_certfile=tmp_path / "tls.pem") as (port, _):
        assert TOO_LARGE in await asyncio.to_thread(send, port)


async def test_a_request_that_cannot_be_parsed_is_answered_so(protocol: Any):
    def send(client: socket.socket) -> bytes:
        with client:
            client.sendall(b"\x16\x03\x01" * 10)
            for _ in range(PIECES):
                client.sendall(PIECE)
            return read_all(client)

    async with serving(protocol) as (port, _):
        assert (await asyncio.to_thread(send, connect(port))).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(("most_bytes", "longest_s"), [(1 << 40, 0.5), (1 << 20, 3600.0)], ids=["time", "bytes"])
async def test_a_client_that_sends_without_end_is_cut_off(
    protocol: Any, most_bytes: int, longest_s: float, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lingering_close, "MOST_BYTES", most_bytes)
    protocol.linger_s = longest_s
    async with serving(protocol) as (port, server):
        async with asyncio.timeout(60):
            await asyncio.to_thread(send_without_end, connect(port))
        await until(lambda: not server.server_state.connections)
    assert not protocol.lingering


async def test_a_client_that_falls_silent_is_not_waited_for(protocol: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lingering_close, "QUIET_S", 0.5)
    protocol.linger_s = 3600.0
    async with serving(protocol) as (port, server):
        with connect(port) as client:
            client.sendall(head("announced") + PIECE + PIECE)
            assert TOO_LARGE in await asyncio.to_thread(read_all, client)
            await until(lambda: not server.server_state.connections)
    assert not protocol.lingering


async def test_a_process_lingers_with_a_bounded_number_of_connections(protocol: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lingering_close, "MOST_LINGERING", 2)
    async with serving(protocol) as (port, server):
        clients = [connect(port) for _ in range(5)]
        for client in clients:
            client.sendall(head("announced") + PIECE + PIECE)
            assert (await asyncio.to_thread(client.recv, 12)) == b"HTTP/1.1 413"
        await until(lambda: len(server.server_state.connections) == len(protocol.lingering) == 2)
        for client in clients:
            client.close()
        await until(lambda: not protocol.lingering)


async def test_a_server_that_stops_does_not_wait_for_lingering_connections(
    protocol: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lingering_close, "QUIET_S", 3600.0)
    protocol.linger_s = 3600.0
    async with asyncio.timeout(60), serving(protocol) as (port, _):
        client = connect(port)
        client.sendall(head("announced") + PIECE + PIECE)
        await until(lambda: protocol.lingering)
    assert not protocol.lingering
    client.close()
