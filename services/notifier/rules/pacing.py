"""Not more at once than a receiver likes: some mail providers close their doors to whoever hurries."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping


class Pacing:
    """`per_s`: most recipients a second by class of mail domain. Over all sessions of this process."""

    def __init__(self, per_s: Mapping[str, float], clock: Callable[[], float] | None = None) -> None:
        self._per_s = dict(per_s)
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._free_at: dict[str, float] = {}

    async def turn(self, domain_classes: Iterable[str | None]) -> None:
        """Wait until recipients of these classes may be written to."""
        await asyncio.sleep(self.reserve(domain_classes))

    def reserve(self, domain_classes: Iterable[str | None]) -> float:
        """Take the next free moments of each class; the wait until the last of them begins, in seconds."""
        now, wait = self._clock(), 0.0
        for name, count in Counter(domain_classes).items():
            if name is None or name not in self._per_s:
                continue
            begins = max(now, self._free_at.get(name, now))
            self._free_at[name] = begins + count / self._per_s[name]
            wait = max(wait, begins - now)
        return wait
