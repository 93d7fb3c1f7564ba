"""An HTTP/1.1 client that does as little as possible, so that it does not bound what is measured with it."""

import asyncio
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    """Status line and headers in lower case."""
    body: bytes

    def number(self, header: bytes) -> int:
        """Return the number in a header. Raises ValueError where it is absent."""
        return int(self.head.partition(b"\r\n" + header + b": ")[2].split(b"\r\n", 1)[0])


class Connection:
    """Kept alive; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, path: str, body: bytes) -> Answer:
        request = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(request.encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        bare = Answer(int(head[9:12]), head, b"")
        return Answer(bare.status, head, await self._reader.readexactly(bare.number(b"content-length")))

    def close(self) -> None:
        self._writer.close()
