"""Forward connections between a service and a real server; a test can reset, cut, silence or restore them."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class TcpProxy:
    """Forward a port of its own to `host:port`.

    It runs in a thread with its own loop, because the database driver closes its connections in a blocking call.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"connection to {port}")
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._is_connected = True
        self.port = 0
        self.accepted = 0
        """Number of connections that clients have opened so far."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self.restore()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def reset(self) -> None:
        """Cut the connections there are; new ones are forwarded."""
        self._run(self._abort())

    def cut(self) -> None:
        """Cut all connections, and new ones at once."""
        self._run(self._cut())

    def restore(self) -> None:
        """Forward connections again."""
        self._run(self._restore())

    def silence(self) -> None:
        """Keep the connections open, but forward no bytes."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    @property
    def connections(self) -> int:
        """Return the number of clients that are connected through this proxy."""
        return len(self._writers) // 2

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(5)

    async def _cut(self) -> None:
        self._is_connected = False
        self._passing.set()
        await self._abort()

    async def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _restore(self) -> None:
        self._is_connected = True
        self._passing.set()

    async def _end(self) -> None:
        await self._cut()
        self._server.close()
        if pumps := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(pumps, timeout=2)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_connected:
            writer.transport.abort()
            return
        self.accepted += 1
        server_reader, server_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, server_writer}
        try:
            await asyncio.gather(self._pump(reader, server_writer), self._pump(server_reader, writer))
        finally:
            self._writers -= {writer, server_writer}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._passing.wait()
                sink.write(data)
                await sink.drain()
        sink.close()
