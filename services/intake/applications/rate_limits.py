"""Limit requests per address and of all addresses. The counts stay in memory and are neither written nor logged.

Addresses are not stored: a keyed hash is counted whose key ends with the process; of IPv6 addresses the whole /64.
Whole schools and wards share one address, so the limits are wide: they stop machines, not people.
"""

import hashlib
import ipaddress
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from services.intake import problems
from services.intake.settings import Rates

_ALL_ADDRESSES: Final = "all"
_IPV6_HOUSEHOLD: Final = 64
"""Bits of the prefix that one connection gets (RFC 6177)."""

Limit = Callable[[Request], Awaitable[None]]


class RateLimits:
    """Make dependencies that raise 429 `too-many-requests`; one object per process."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self.forget()

    def forget(self) -> None:
        """Forget every counted address; hashes from before can no longer be compared with later ones."""
        self._storage = MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._key = secrets.token_bytes(32)
        self._since = datetime.now(UTC)

    def records_before(self, at: datetime) -> int:
        """Return the number of counted addresses that may stem from before `at` (machine's clock)."""
        return len(self._storage.storage) if self._since < at else 0

    def applications(self) -> Limit:
        """Return the limit for applications."""
        return self._dependency("applications", self._rates.applications)

    def lookups(self) -> Limit:
        """Return the limit for status, receipt and postal-code requests, whose answers could be guessed by trial."""
        return self._dependency("lookups", self._rates.lookups)

    def _dependency(self, kind: str, per_minute: int) -> Limit:
        per_address = RateLimitItemPerMinute(per_minute) if per_minute else None
        overall = RateLimitItemPerSecond(self._rates.overall) if self._rates.overall else None

        async def check_limit(request: Request) -> None:
            if overall is not None:
                await self._count(overall, kind, _ALL_ADDRESSES)
            if per_address is not None:
                await self._count(per_address, kind, self._hash_address(request))

        return check_limit

    async def _count(self, limit: RateLimitItem, kind: str, counted: str) -> None:
        if not await self._limiter.hit(limit, kind, counted):
            stats = await self._limiter.get_window_stats(limit, kind, counted)
            raise problems.too_many(max(1, math.ceil(stats.reset_time - time.time())))

    def _hash_address(self, request: Request) -> str:
        address = request.client.host if request.client else ""
        return hashlib.blake2b(group_address(address).encode(), key=self._key, digest_size=16).hexdigest()


def group_address(address: str) -> str:
    """Return the address, or the /64 of an IPv6 address: one connection has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004  (IPv4)
        return address
    return str(ipaddress.ip_network((parsed, _IPV6_HOUSEHOLD), strict=False))
