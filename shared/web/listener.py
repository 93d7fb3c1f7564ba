"""A further HTTP listener of a process, on a port of its own, so that a network can admit people to it alone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn

from shared.errors import ConfigurationError


@dataclass(frozen=True)
class Listener:
    """Server of an app, and the address at which it listens."""

    config: uvicorn.Config
    host: str
    port: int

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve inside the context. Raises ConfigurationError where the port cannot be taken."""
        server = _Server(self.config)
        serving = asyncio.create_task(server.serve([self._socket()]), name="listener")
        try:
            yield
        finally:
            server.should_exit = True
            await serving

    def _socket(self) -> socket.socket:
        """Return the bound socket: uvicorn would end the process where the port is taken."""
        try:
            return socket.create_server((self.host, self.port))
        except OSError as error:
            raise ConfigurationError(
                f"port {self.port} cannot be taken ({type(error).__name__}); see KUJI_APPROVE_PORT"
            ) from None


class _Server(uvicorn.Server):
    """Server that leaves signals to the process's main one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
