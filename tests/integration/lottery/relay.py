"""Drand relays for the tests: real HTTP servers that are right, lie, replay, hang, shout, or are not there."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Manner = Literal["right", "lying", "replaying", "hanging", "shouting", "early", "confused"]

ROUND = 657413
SIGNATURE = "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"
"""Of quicknet's round 657413, as it was published."""

EARLIER = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
"""Of round 1000."""


@asynccontextmanager
async def relay(manner: Manner) -> AsyncIterator[str]:
    """Its base address."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if manner == "hanging":
            await over.wait()
        status, body = _answer(manner)
        with suppress(ConnectionError):
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
            await writer.drain()
        writer.transport.abort() if manner in {"hanging", "shouting"} else writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        over.set()
        await asyncio.sleep(0.02)
        server.close()


def _answer(manner: Manner) -> tuple[bytes, bytes]:
    if manner == "early":
        return b"425 Too Early", b"{}"
    if manner == "shouting":
        return b"200 OK", b" " * 100_000
    if manner == "confused":
        return b"200 OK", b"<html>"
    signature, number = {
        "lying": (EARLIER, ROUND),
        "replaying": (EARLIER, 1000),
    }.get(manner, (SIGNATURE, ROUND))
    return b"200 OK", json.dumps({"round": number, "signature": signature, "randomness": "00"}).encode()
