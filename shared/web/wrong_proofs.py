"""Limit wrong proofs by the caller's IP address. The counts stay in memory and are neither written nor logged.

A right proof never comes here: it passes, however many wrong ones were sent for the same application or entry.
"""

import math
import time
from datetime import UTC, datetime
from typing import Final

from fastapi import Request

from shared.web.client_address import AddressHash
from shared.web.window_counts import WindowCounts

MOST_WRONG: Final = 20
WINDOW_S: Final = 600.0


class WrongProofs:
    """Counts wrong proofs by address; of IPv6 addresses the whole /64. One object per process."""

    def __init__(self, most: int = MOST_WRONG, window_s: float = WINDOW_S) -> None:
        self._most, self._window_s = most, window_s
        self.forget()

    def forget(self) -> None:
        """Forget every counted address; hashes from before can no longer be compared with later ones."""
        self._counts, self._hash = WindowCounts(self._most, self._window_s), AddressHash()
        self._since = datetime.now(UTC)

    def records_before(self, at: datetime) -> int:
        """Return the number of counted addresses that may stem from before `at` (machine's clock)."""
        return 0 if self._since >= at else self._counts.counted(time.monotonic())

    def count(self, request: Request) -> int | None:
        """Count a wrong proof; return the seconds to wait where the address has sent too many, else None."""
        wait_s = self._counts.hit(self._hash.of(request), time.monotonic())
        return None if wait_s is None else max(1, math.ceil(wait_s))
