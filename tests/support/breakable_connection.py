"""A cable between a service and a real server, that a test can pull out, plug in again, or let go silent."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Cable:
    """Forwards a port of its own to `host:port`. Out: connections are cut, new ones too. Silent: nothing passes.

    It lives in a thread with its own loop, because the database driver says goodbye in a blocking call.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"cable to {port}")
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._plugged = True
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self.plug()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def pull(self) -> None:
        self._do(self._cut())

    def plug(self) -> None:
        self._do(self._restore())

    def silence(self) -> None:
        """Connections stay, and say nothing any more."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _cut(self) -> None:
        self._plugged = False
        self._passing.set()
        for writer in self._writers:
            writer.transport.abort()

    async def _restore(self) -> None:
        self._plugged = True
        self._passing.set()

    async def _end(self) -> None:
        await self._cut()
        self._server.close()
        if pumps := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(pumps, timeout=2)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._plugged:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self._writers -= {writer, back}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._passing.wait()
                sink.write(data)
                await sink.drain()
        sink.close()
