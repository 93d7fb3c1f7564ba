"""Pacing: limits the rate of recipients per class of mail domain, because some mail providers block fast senders."""

import asyncio
from collections.abc import Callable, Mapping


class Pacing:
    """Limit the rate over all sessions of this process. `per_s`: most recipients per second by class."""

    def __init__(self, per_s: Mapping[str, float], clock: Callable[[], float] | None = None) -> None:
        self._per_s = dict(per_s)
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._free_at: dict[str, float] = {}

    async def wait_turn(self, domain_class: str | None) -> None:
        """Wait until a mail to a recipient of this class may be sent."""
        await asyncio.sleep(self.reserve(domain_class))

    def reserve(self, domain_class: str | None) -> float:
        """Reserve the next free time of the class. Return the wait until it begins, in seconds."""
        if domain_class is None or domain_class not in self._per_s:
            return 0.0
        now = self._clock()
        begins = max(now, self._free_at.get(domain_class, now))
        self._free_at[domain_class] = begins + 1 / self._per_s[domain_class]
        return begins - now
