"""Count requests of many senders in a sliding window, in bounded memory and at a constant price for each request. Pure.

Two windows are kept, the current and the one before, whose counts fade as the current one passes (the sliding window
counter). All counts of a window are dropped at once when it is over, so no request pays for looking through others.
"""

import math
from typing import Final

MOST_SENDERS: Final = 250_000
"""Senders that are counted singly in one window; about 25 MB. Twice what the limit of all requests lets in a minute."""

_SHARED: Final = 1 << 16
"""Counters that the senders beyond `MOST_SENDERS` share, by their hash."""


class WindowCounts:
    """Allow at most `limit` requests of one sender in `window_s` seconds. A sender is an unpredictable integer."""

    def __init__(self, limit: int, window_s: float, most_senders: int = MOST_SENDERS) -> None:
        self._limit, self._window_s, self._most_senders = limit, window_s, most_senders
        self._current: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._number = 0

    def hit(self, sender: int, now: float) -> float | None:
        """Count a request at `now` (seconds); return None if it is allowed, else seconds until it is worth trying."""
        passed = self._advance(now)
        key = self._key_of(sender)
        count = self._current.get(key, 0)
        if count + self._before.get(key, 0) * (1 - passed) >= self._limit:
            return self._window_s * (1 - passed)
        self._current[key] = count + 1
        return None

    def counted(self, now: float) -> int:
        """Return the number of counters in use at `now`."""
        self._advance(now)
        return len(self._current) + len(self._before)

    def _key_of(self, sender: int) -> int:
        """Return the sender's own counter; one shared with others, which are negative, where the table is full."""
        if sender in self._current or len(self._current) < self._most_senders:
            return sender
        return -1 - sender % _SHARED

    def _advance(self, now: float) -> float:
        """Begin the window of `now`; return the share of it that has passed."""
        passed, number = math.modf(now / self._window_s)
        if number > self._number:
            self._before = self._current if number == self._number + 1 else {}
            self._current, self._number = {}, int(number)
        return passed
