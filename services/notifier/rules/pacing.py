"""Pacing: limits the rate of recipients per class of mail domain, because some mail providers block fast senders."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping


class Pacing:
    """Limit the rate over all sessions of this process. `per_s`: most recipients per second by class."""

    def __init__(self, per_s: Mapping[str, float], clock: Callable[[], float] | None = None) -> None:
        self._per_s = dict(per_s)
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._free_at: dict[str, float] = {}

    async def wait_turn(self, domain_classes: Iterable[str | None]) -> None:
        """Wait until a mail to recipients of these classes may be sent."""
        await asyncio.sleep(self.reserve(domain_classes))

    def reserve(self, domain_classes: Iterable[str | None]) -> float:
        """Reserve the next free times of each class. Return the wait until the last of them begins, in seconds."""
        now, wait = self._clock(), 0.0
        for name, count in Counter(domain_classes).items():
            if name is None or name not in self._per_s:
                continue
            begins = max(now, self._free_at.get(name, now))
            self._free_at[name] = begins + count / self._per_s[name]
            wait = max(wait, begins - now)
        return wait
