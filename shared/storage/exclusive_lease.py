"""A lease for which instances wait: one of them at a time changes what they share outside the database."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from shared.errors import TransientError
from shared.storage.driver import Database, PyMongoError
from shared.storage.leases import Leases

LEASE_S: Final = 10.0
"""Time after which another instance follows a dead one."""

_WAIT_S: Final = 15.0
_PAUSE_S: Final = 0.05


class LeaseError(TransientError):
    """Raised where another instance keeps the lease, or this one lost it: frozen, or cut off from the database."""


class ExclusiveLease:
    """Lease of one process on `what`; its tasks wait for one another, too.

    `for_s`: time after which another instance follows one that does not prolong. `wait_s`: longest wait for it.
    """

    def __init__(self, db: Database, what: str, *, for_s: float = LEASE_S, wait_s: float = _WAIT_S) -> None:
        self._leases, self._what, self._for_s, self._wait_s = Leases(db), what, for_s, wait_s
        self._holder = secrets.token_hex(8)
        self._alone = asyncio.Lock()
        self._until = 0.0

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the lease inside the block. Raises LeaseError, StoreUnavailableError."""
        async with self._alone:
            await self._take()
            prolonging = asyncio.create_task(self._prolong(), name=f"lease {self._what}")
            try:
                yield
            finally:
                self._until = 0.0
                prolonging.cancel()
                await asyncio.gather(prolonging, return_exceptions=True)
                with suppress(TransientError, PyMongoError):  # it ends by itself
                    await self._leases.give_up(self._what, self._holder)

    def check(self) -> None:
        """Raise LeaseError where the lease is over. To be called right before each write."""
        if time.monotonic() >= self._until:
            raise LeaseError(f"this instance no longer holds the lease {self._what}; nothing was written")

    async def _take(self) -> None:
        gives_up = time.monotonic() + self._wait_s
        while True:
            asked = time.monotonic()
            if await self._leases.hold(self._what, self._holder, self._for_s):
                self._until = asked + self._for_s
                return
            if asked > gives_up:
                raise LeaseError(f"another instance holds the lease {self._what}; try again in a moment")
            await asyncio.sleep(_PAUSE_S)

    async def _prolong(self) -> None:
        """Prolong until cancelled, or until another instance took the lease: then it is not taken again."""
        while True:
            await asyncio.sleep(self._for_s / 3)
            asked = time.monotonic()
            with suppress(TransientError, PyMongoError):
                if not await self._leases.prolong(self._what, self._holder, self._for_s):
                    self._until = 0.0
                    return
                self._until = asked + self._for_s
