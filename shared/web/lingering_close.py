"""Close a connection without losing the answer that was written last (RFC 9112 §9.6).

A socket that is closed while bytes of the request are unread makes the kernel send a reset, and a client that is still
sending its body may then never see the answer: a clerk with a scan that is too large read "connection reset" instead of
our text. So the writing side ends first, and for a bounded time what still arrives is read and dropped.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

LINGER_S: Final = 10.0
"""Longest that bytes are dropped; as long as a body may take that is read."""

QUIET_S: Final = 3.0
"""Longest without a byte of the client meanwhile."""

MOST_BYTES: Final = 64 * 1024 * 1024
"""Most that is dropped: several times the largest body that any address takes."""

MOST_LINGERING: Final = 256
"""Connections of a process that linger at a time; a further one is closed at once."""


class LingeringTransport:
    """A connection's transport, whose `close` lingers if `is_due` says that the client may still be sending.

    It holds nothing of what it drops. `lingering` is shared by all connections that count together.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        is_due: Callable[[], bool],
        lingering: set["LingeringTransport"],
        *,
        linger_s: float = LINGER_S,
    ) -> None:
        self._transport, self._is_due, self._lingering = transport, is_due, lingering
        self._linger_s, self._ends_at, self._dropped = linger_s, 0.0, 0
        self._timer: asyncio.TimerHandle | None = None
        self.write = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    @property
    def lingers(self) -> bool:
        return self._timer is not None

    def is_closing(self) -> bool:
        return self.lingers or self._transport.is_closing()

    def close(self) -> None:
        """Close, or begin to linger; nothing more is written."""
        if self.is_closing():
            return
        if not self._is_due() or len(self._lingering) >= MOST_LINGERING:
            self._transport.close()
            return
        self._lingering.add(self)
        self._ends_at = asyncio.get_running_loop().time() + self._linger_s
        self._await_more()
        try:
            if self._transport.can_write_eof():  # not under TLS, where the length of the answer tells its end
                self._transport.write_eof()
            self._transport.resume_reading()
        except OSError:
            self.finish()  # the client is gone

    def drop(self, size: int) -> None:
        """Note that so many bytes came, and were dropped, while the connection lingers."""
        if self._timer is None:
            return
        self._dropped += size
        if self._dropped > MOST_BYTES or asyncio.get_running_loop().time() >= self._ends_at:
            self.finish()  # here, too: a fast client would cancel a timer that is due again and again
        else:
            self._timer.cancel()
            self._await_more()

    def finish(self) -> None:
        """End the lingering: close, without an answer that the client has not taken until now."""
        self.forget()
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def forget(self) -> None:
        """Give up the timer, as the connection is lost."""
        self._lingering.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _await_more(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(min(self._ends_at, loop.time() + QUIET_S), self.finish)
