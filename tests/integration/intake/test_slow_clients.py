"""Clients that take for ever lose their connection, and nobody else notices; over raw sockets."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI

from shared.web.patience import PatientProtocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Hasty(PatientProtocol):
    head_s = 0.6


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = FastAPI()

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
    """A byte each 0.1 s until the other side closes; what it said."""
    reader, writer = streams
    answer = asyncio.create_task(reader.read())
    for byte in data:
        if answer.done():
            break
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        return await answer


async def test_a_head_that_drips_in_is_given_up(port: int):
    streams = await asyncio.open_connection("127.0.0.1", port)
    begun = time.monotonic()
    said = await drip(streams, REQUEST * 10)
    assert said.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 2
    await close(streams)


async def test_a_connection_that_says_nothing_is_given_up(port: int):
    streams = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(3):
        assert (await streams[0].read()).startswith(b"HTTP/1.1 408")
    await close(streams)


async def test_an_answer_may_take_longer_and_further_requests_are_timed_anew(port: int):
    reader, writer = streams = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(REQUEST)
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b'"done"')).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.8)
    said = await drip(streams, REQUEST)
    assert said.startswith(b"HTTP/1.1 408")
    await close(streams)


async def test_many_slow_clients_do_not_hold_up_an_honest_one(port: int):
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
    for _, writer in slow:
        writer.write(b"G")
    reader, writer = honest = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    async with asyncio.timeout(3):
        assert (await reader.readuntil(b'"done"')).startswith(b"HTTP/1.1 200")
    async with asyncio.timeout(5):
        assert all([(await streams[0].read()).startswith(b"HTTP/1.1 408") for streams in slow])
    for streams in (*slow, honest):
        await close(streams)
