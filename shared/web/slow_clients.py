"""Time and size limits for clients that send a head a byte at a time or without end.

The code that reads a body limits its time and size. This module does so for the head, and for the trailers after a
body, which the server reads before any of our code runs. h11 limits their size; httptools keeps as much as comes.
A connection that is closed before its request was read whole lingers, so that the client gets to see the answer.
"""

import asyncio
from typing import ClassVar, Final, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from shared.web.lingering_close import LINGER_S, LingeringTransport
from shared.web.refusals import NO_ROUTE, RefusalLog

HEAD_S: Final = 10.0
"""Longest from the connection, or from the first byte of a further request on it, to the end of the head."""

HEAD_BYTES: Final = 64 * 1024
"""Most that is kept of a head or of trailers (RFC 6585 §5), beyond the piece read last."""

_PARSER_LIMITS: Final = not hasattr(AutoHTTPProtocol, "on_body")
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class TimedHttpProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen at run time by uvicorn
    """uvicorn's HTTP/1.1 protocol with an end to waiting for a head. Idle connections have a timeout of uvicorn's."""

    head_s: float = HEAD_S
    linger_s: float = LINGER_S
    lingering: ClassVar = set[LingeringTransport]()
    """Lingering connections of the process."""
    refusals: ClassVar = RefusalLog()
    """One for all connections of the process: each of them has an object of this class."""
    _waiting: asyncio.TimerHandle | None = None
    _kept: int = 0
    _unreadable: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        plain = cast("asyncio.Transport", transport)
        self.transport = LingeringTransport(plain, self._is_sending, self.lingering, linger_s=self.linger_s)
        self._wait()

    def data_received(self, data: bytes) -> None:
        if self.transport.lingers:
            self.transport.drop(len(data))
            return
        before = self.cycle
        self._kept += len(data)
        super().data_received(data)
        if self.cycle is not before:
            self._kept = 0
            self._stop_waiting()
        elif self._kept > HEAD_BYTES and not _PARSER_LIMITS:
            self._unreadable = True
            self._end(431, _TOO_LARGE)
        elif before is None or before.response_complete:
            self._wait()

    def on_body(self, body: bytes) -> None:
        """Reset the size limit at a piece of the body; httptools keeps none of it."""
        self._kept = 0
        super().on_body(body)  # only httptools calls it, and has it

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.transport.forget()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that cannot be parsed, whose end is therefore unknown."""
        self._unreadable = True
        super().send_400_response(msg)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # as when the connection is lost, which comes later now
            self.cycle.message_event.set()

    def shutdown(self) -> None:
        """End at once what lingers when the server stops."""
        if self.transport.lingers:
            self.transport.finish()
        else:
            super().shutdown()

    def _is_sending(self) -> bool:
        """Return whether the client may be in the middle of a request that was answered."""
        cycle = self.cycle
        is_due = cycle is None or cycle.response_complete
        return is_due and (self._unreadable or (cycle is not None and cycle.more_body))

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(self.head_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        self._end(408, _TOO_SLOW)

    def _end(self, status: int, answer: bytes) -> None:
        """Close, with the answer unless another one is due first."""
        if self.transport.is_closing():
            return
        self.refusals.note("other", NO_ROUTE, status)
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(answer)
        self.transport.close()
