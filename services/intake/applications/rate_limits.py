"""Limit requests per address and of all addresses. The counts stay in memory and are neither written nor logged.

Addresses are not stored: a keyed hash is counted whose key ends with the process; of IPv6 addresses the whole /64.
Whole schools and wards share one address, so the limits are wide: they stop machines, not people.
"""

import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, Literal

from fastapi import Request

from services.intake import problems
from services.intake.settings import Rates
from shared.web.client_address import AddressHash
from shared.web.window_counts import WindowCounts

_ALL_ADDRESSES: Final = 0
_MINUTE_S: Final = 60.0
_SECOND_S: Final = 1.0

Limit = Callable[[Request], Awaitable[None]]
Kind = Literal["applications", "lookups"]


class RateLimits:
    """Make dependencies that raise 429 `too-many-requests`; one object per process."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self.forget()

    def forget(self) -> None:
        """Forget every counted address; hashes from before can no longer be compared with later ones."""
        rates = self._rates
        self._by_address: dict[Kind, WindowCounts] = {
            "applications": WindowCounts(rates.applications, _MINUTE_S),
            "lookups": WindowCounts(rates.lookups, _MINUTE_S),
        }
        self._overall: dict[Kind, WindowCounts] = {
            "applications": WindowCounts(rates.overall, _SECOND_S),
            "lookups": WindowCounts(rates.overall, _SECOND_S),
        }
        self._free_by_address = WindowCounts(rates.free_per_minute, _MINUTE_S)
        self._free_overall = WindowCounts(rates.free_per_second, _SECOND_S)
        self._hash = AddressHash()
        self._since = datetime.now(UTC)

    def records_before(self, at: datetime) -> int:
        """Return the number of counted addresses that may stem from before `at` (machine's clock)."""
        if self._since >= at:
            return 0
        counts = (*self._by_address.values(), self._free_by_address)
        return sum(each.counted(time.monotonic()) for each in counts)

    def needs_work(self, request: Request) -> bool:
        """Count an application; return True if so many arrive from its address, or from all, that it needs work."""
        now = time.monotonic()
        return (
            self._free_by_address.hit(self._hash.of(request), now) is not None
            or self._free_overall.hit(_ALL_ADDRESSES, now) is not None
        )

    def applications(self) -> Limit:
        """Return the limit for applications."""
        return self._dependency("applications", self._rates.applications)

    def lookups(self) -> Limit:
        """Return the limit for status, receipt and postal-code requests, whose answers could be guessed by trial."""
        return self._dependency("lookups", self._rates.lookups)

    def _dependency(self, kind: Kind, per_minute: int) -> Limit:
        async def check_limit(request: Request) -> None:
            now = time.monotonic()
            if per_minute:  # first: what one address is refused must not use up what all addresses share
                _refuse(self._by_address[kind].hit(self._hash.of(request), now))
            if self._rates.overall:
                _refuse(self._overall[kind].hit(_ALL_ADDRESSES, now))

        return check_limit


def _refuse(wait_s: float | None) -> None:
    if wait_s is not None:
        raise problems.too_many(max(1, math.ceil(wait_s)))
