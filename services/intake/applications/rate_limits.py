"""How often one address, and everybody together, may ask. Kept in memory, never written, never logged.

Addresses are not kept either: what is counted is a keyed hash whose key dies with the process, of a whole /64 where
it is IPv6. Whole schools and wards sit behind one address, so the limits are wide; they stop machines, not people.
"""

import hashlib
import ipaddress
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from services.intake import problems
from services.intake.settings import Rates

_EVERYBODY: Final = "everybody"
_IPV6_HOUSEHOLD: Final = 64
"""Bits of the prefix that one connection is given (RFC 6177)."""

Limit = Callable[[Request], Awaitable[None]]


class Limits:
    """Dependencies that raise 429 `too-many-requests`; one per process."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._key = secrets.token_bytes(32)

    def applications(self) -> Limit:
        return self._dependency("applications", self._rates.applications)

    def lookups(self) -> Limit:
        """Status, receipts and postal codes: what could be guessed at."""
        return self._dependency("lookups", self._rates.lookups)

    def _dependency(self, what: str, per_minute: int) -> Limit:
        each = RateLimitItemPerMinute(per_minute) if per_minute else None
        overall = RateLimitItemPerSecond(self._rates.overall) if self._rates.overall else None

        async def limited(request: Request) -> None:
            if overall is not None:
                await self._count(overall, what, _EVERYBODY)
            if each is not None:
                await self._count(each, what, self._hashed(request))

        return limited

    async def _count(self, limit: RateLimitItem, what: str, who: str) -> None:
        if not await self._limiter.hit(limit, what, who):
            stats = await self._limiter.get_window_stats(limit, what, who)
            raise problems.too_many(max(1, math.ceil(stats.reset_time - time.time())))

    def _hashed(self, request: Request) -> str:
        address = request.client.host if request.client else ""
        return hashlib.blake2b(household(address).encode(), key=self._key, digest_size=16).hexdigest()


def household(address: str) -> str:
    """The address, or the /64 of an IPv6 one: its owner has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004  (IPv4)
        return address
    return str(ipaddress.ip_network((parsed, _IPV6_HOUSEHOLD), strict=False))
