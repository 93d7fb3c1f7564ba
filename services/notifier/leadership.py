"""Leadership: one instance at a time orders mails and cards and counts; when it dies, another one takes over.

Every write is guarded by the state table as well. The lease spares work and keeps the pace of one process.
"""

import secrets
import time
from typing import Final

from shared.campaign import Campaign
from shared.periodic import PeriodicTask
from shared.storage import Database
from shared.storage.leases import Leases

_LEASE: Final = "notices"


class Leadership:
    """Lease of this instance. `lease_s`: time after which another instance takes over from a dead one (seconds)."""

    def __init__(self, db: Database, lease_s: float) -> None:
        self._leases, self._lease_s = Leases(db), lease_s
        self._name = secrets.token_hex(8)
        self._mine_until = 0.0

    def only(self, task: PeriodicTask) -> PeriodicTask:
        """Return a task that runs only in the instance that holds the lease."""

        async def run(campaign: Campaign) -> None:
            if time.monotonic() < self._mine_until or await self._hold():
                await task(campaign)

        return run

    async def _hold(self) -> bool:
        """Take or prolong the lease; it is prolonged when half of it is over, and not at each look."""
        asked = time.monotonic()
        if not await self._leases.hold(_LEASE, self._name, self._lease_s):
            return False
        self._mine_until = asked + self._lease_s / 2
        return True

    async def give_up(self) -> None:
        """End the lease when the instance stops."""
        self._mine_until = 0.0
        await self._leases.give_up(_LEASE, self._name)
