"""Clients that take for ever, or send heads without end, lose their connection; over raw sockets."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI, Request

from shared.web.lingering_close import MOST_BYTES
from shared.web.slow_clients import HEAD_BYTES, TimedHttpProtocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BUFFERS = 32 * 1024 * 1024
"""More than both kernels' buffers of a connection hold."""
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Hasty(TimedHttpProtocol):
    head_s = 0.6
    linger_s = 0.6


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = FastAPI()

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.get("/")
    async def answer() -> str:
        await asyncio.sleep(1)  # longer than a head may take: an answer may take its time
        return "done"

    listener = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    free = listener.sockets[0].getsockname()[1]
    listener.close()
    config = uvicorn.Config(app, port=free, http=Hasty, log_config=None, lifespan="off", timeout_keep_alive=3)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    yield free
    server.should_exit = True
    await task


async def close(streams: Streams) -> None:
    streams[1].close()
    await streams[1].wait_closed()


async def drip(streams: Streams, data: bytes) -> bytes:
    """Send a byte each 0.1 s until the server closes; return its answer."""
    reader, writer = streams
    answer = asyncio.create_task(reader.read())
    for byte in data:
        if answer.done():
            break
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)
    async with asyncio.timeout(30):
        return await answer


async def test_a_head_that_drips_in_is_given_up(port: int):
    streams = await asyncio.open_connection("127.0.0.1", port)
    begun = time.monotonic()
    answer = await drip(streams, REQUEST * 10)
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 10
    await close(streams)


async def test_a_connection_that_says_nothing_is_given_up(port: int):
    streams = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        assert (await streams[0].read()).startswith(b"HTTP/1.1 408")
    await close(streams)


async def test_an_answer_may_take_longer_and_further_requests_are_timed_anew(port: int):
    reader, writer = streams = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(REQUEST)
        async with asyncio.timeout(20):
            assert (await reader.readuntil(b'"done"')).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.8)
    answer = await drip(streams, REQUEST)
    assert answer.startswith(b"HTTP/1.1 408")
    await close(streams)


async def test_many_slow_clients_do_not_hold_up_an_honest_one(port: int):
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
    for _, writer in slow:
        writer.write(b"G")
    reader, writer = honest = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    async with asyncio.timeout(20):
        assert (await reader.readuntil(b'"done"')).startswith(b"HTTP/1.1 200")
    async with asyncio.timeout(20):
        assert all([(await streams[0].read()).startswith(b"HTTP/1.1 408") for streams in slow])
    for streams in (*slow, honest):
        await close(streams)


async def pour(streams: Streams, begin: bytes, piece: bytes, most: int) -> int:
    """Bytes of `piece` that the other side took, of `most`, until it closed."""
    _, writer = streams
    writer.write(begin)
    taken = 0
    try:
        while taken < most:
            writer.write(piece)
            await writer.drain()
            taken += len(piece)
    except ConnectionError:
        pass
    return taken


@pytest.mark.parametrize(
    "begin",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
    ],
    ids=["head", "trailers"],
)
@pytest.mark.parametrize("piece", [b"a: b\r\n" * 2000, b"a" * 12000], ids=["many fields", "one field"])
async def test_a_head_or_trailers_without_end_are_cut_off(port: int, begin: bytes, piece: bytes):
    streams = await asyncio.open_connection("127.0.0.1", port)
    most = MOST_BYTES + HEAD_BYTES + BUFFERS
    async with asyncio.timeout(20):
        taken = await pour(streams, begin + (b"" if b"\r\n" in piece else b"a: "), piece, most)
    assert taken < most
    streams[1].transport.abort()


async def test_a_head_too_large_is_answered_so(port: int):
    reader, writer = streams = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"a" * HEAD_BYTES)
    async with asyncio.timeout(20):
        assert (await reader.read()).startswith(b"HTTP/1.1 431")
    await close(streams)


async def test_a_body_may_be_larger_than_a_head(port: int):
    reader, writer = streams = await asyncio.open_connection("127.0.0.1", port)
    size = 40 * HEAD_BYTES
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    for _ in range(40):
        writer.write(b"a" * HEAD_BYTES)
        await writer.drain()
    async with asyncio.timeout(20):
        assert (await reader.readuntil(str(size).encode())).startswith(b"HTTP/1.1 200")
    await close(streams)
