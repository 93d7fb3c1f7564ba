"""Drand relays for the tests: real HTTP servers that are right, or wrong in one of many ways."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Manner = Literal[
    "right", "lying", "replaying", "hanging", "shouting", "early", "confused",
    "dripping", "hanging-up", "redirecting", "packing", "infinite",
]  # fmt: skip

ROUND = 657413
SIGNATURE = "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"
"""Signature of quicknet's round 657413, as it was published."""

EARLIER = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
"""Signature of round 1000."""

INFINITY = "c0" + "00" * 47
"""Point at infinity, which a careless check would accept for every key and round."""


@asynccontextmanager
async def relay(manner: Manner) -> AsyncIterator[str]:
    """Run a relay and yield its base address."""
    over, served = asyncio.Event(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if manner == "hanging":
                await over.wait()
            await _answered(writer, manner)
        writer.transport.abort() if manner in {"hanging", "shouting", "hanging-up"} else writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        over.set()
        server.close()
        await asyncio.sleep(0.02)
        await asyncio.gather(*served)


async def _answered(writer: asyncio.StreamWriter, manner: Manner) -> None:
    status, body = _answer(manner)
    writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body)))
    for piece in _pieces(manner, body):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.1 if manner == "dripping" else 0)


def _pieces(manner: Manner, body: bytes) -> list[bytes]:
    if manner == "dripping":
        return [body[at : at + 1] for at in range(20)]
    return [body[:20] if manner == "hanging-up" else body]


def _answer(manner: Manner) -> tuple[bytes, bytes]:
    if manner == "early":
        return b"425 Too Early", b"{}"
    if manner == "shouting":
        return b"200 OK", b" " * 100_000
    if manner == "redirecting":
        return b"302 Found\r\nLocation: http://127.0.0.1:9/", b""
    if manner == "packing":
        return b"200 OK\r\nContent-Encoding: gzip", gzip.compress(b" " * 3_000_000)
    if manner == "confused":
        return b"200 OK", b"<html>"
    signature, number = {
        "lying": (EARLIER, ROUND),
        "replaying": (EARLIER, 1000),
        "infinite": (INFINITY, ROUND),
    }.get(manner, (SIGNATURE, ROUND))
    return b"200 OK", json.dumps({"round": number, "signature": signature, "randomness": "00"}).encode()
