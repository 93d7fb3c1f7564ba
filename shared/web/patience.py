"""Clients that send their request a byte at a time: they may not keep a connection for ever.

The body is timed by whoever reads it. This times the head, which the server reads before any of our code runs.
"""

import asyncio
from typing import Final, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_S: Final = 10.0
"""Longest from the connection, or from the first byte of a further request on it, to the end of the head."""

_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class PatientProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen at run time by uvicorn
    """uvicorn's HTTP/1.1 protocol with an end to waiting for a head. Idle connections have a timeout of uvicorn's."""

    head_s: float = HEAD_S
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._stop_waiting()
        elif before is None or before.response_complete:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(self.head_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        transport = cast("asyncio.Transport", self.transport)
        if not transport.is_closing():
            transport.write(_TOO_SLOW)
            transport.close()
