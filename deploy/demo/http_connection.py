"""An HTTP/1.1 client that does as little as possible, so that it does not bound what is played or measured with it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import urlsplit

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_CLOSED: Final = (OSError, asyncio.IncompleteReadError)


class NoAnswerError(Exception):
    """Raised when the server does not answer: refused, closed or timed out."""


@dataclass(frozen=True)
class Answer:
    """`head`: status line and headers; names and values are in lower case."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """Return the value of a header in lower case; None where it is absent."""
        _, found, following = self.head.partition(b"\r\n" + name + b":")
        return following.split(b"\r\n", 1)[0].strip() if found else None


class Connection:
    """Kept alive; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int, host: str = "127.0.0.1", *, tls: bool = False) -> Self:
        """Connect. Raises OSError."""
        return cls(*await asyncio.open_connection(host, port, ssl=tls or None))

    async def post(self, path: str, body: bytes) -> Answer:
        return await self.request("POST", path, body)

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = _NONE, *, host: str = "kuji"
    ) -> Answer:
        """Send one request and return its answer. Raises OSError or IncompleteReadError where the server closes."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        bare = Answer(int(head[9:12]), head, b"")
        length = bare.header(b"content-length")
        if length is None:
            raise ConnectionError("the answer has no Content-Length")
        return Answer(bare.status, head, await self._reader.readexactly(int(length)))

    def close(self) -> None:
        self._writer.close()


class ConnectionPool:
    """Send requests to one server over at most `size` connections. `timeout_s`: longest wait for one answer."""

    def __init__(self, base_url: str, size: int = 64, timeout_s: float = 20.0) -> None:
        parts = urlsplit(base_url)
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or (443 if self._tls else 80)
        self._host_header, self._timeout_s = parts.netloc, timeout_s
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Connection] = []

    async def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = _NONE) -> Answer:
        """Return the answer. Raises NoAnswerError; the request may have arrived even so."""
        async with self._slots:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await self._send(method, path, body, headers)
            except (TimeoutError, *_CLOSED) as error:
                raise NoAnswerError(f"{method}: no answer ({type(error).__name__})") from None

    async def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Use an idle connection, which the server may have closed meanwhile, else a new one."""
        if self._idle:
            try:
                return await self._send_on(self._idle.pop(), method, path, body, headers)
            except _CLOSED:
                pass
        connection = await Connection.open(self._port, self._host, tls=self._tls)
        return await self._send_on(connection, method, path, body, headers)

    async def _send_on(
        self, connection: Connection, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        reusable = False
        try:
            answer = await connection.request(method, path, body, headers, host=self._host_header)
            reusable = answer.header(b"connection") != b"close"
        finally:
            if reusable:
                self._idle.append(connection)
            else:
                connection.close()
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
