"""A cable between a service and a real server, that a test can pull out, plug in again, or let go silent."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self


class Cable:
    """Forwards a port of its own to `host:port`. Out: connections are cut, new ones too. Silent: nothing passes."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._plugged = True
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pull()
        if self._server is not None:
            self._server.close()

    def pull(self) -> None:
        self._plugged = False
        self._passing.set()
        for writer in list(self._open):
            writer.transport.abort()

    def plug(self) -> None:
        self._plugged = True
        self._passing.set()

    def silence(self) -> None:
        """Connections stay, and say nothing any more."""
        self._passing.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._plugged:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._open |= {writer, back}
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self._open -= {writer, back}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._passing.wait()
                sink.write(data)
                await sink.drain()
        sink.close()
