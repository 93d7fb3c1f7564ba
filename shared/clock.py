"""Domain time: windows, draw times and deadlines come from an injected clock.

The rehearsal clock lets an office walk through weeks of a campaign in a minute (the demo does). It
works only where every loaded campaign says `rehearsal: true`, so it can never move a real draw.
"""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from shared.campaign import Campaign
from shared.errors import ConfigurationError
from shared.files import write_atomic

_READABLE: Final = 0o644


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time of the domain, aware of its offset."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """Stands still until moved; for unit tests of pure parts."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class RehearsalClock:
    """Runs at real speed from a point of time named in a small file that a rehearsal rewrites to jump.

    The file holds `{"domain": RFC 3339 time, "wall": Unix seconds}`: at `wall` the domain time was `domain`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self.now()

    def now(self) -> datetime:
        """Return the time. The file is read again only where it was replaced, since every application asks."""
        try:
            found = self._path.stat()
            if (found.st_mtime_ns, found.st_ino) != self._seen:
                point = json.loads(self._path.read_text("utf-8"))
                self._domain, self._wall = datetime.fromisoformat(point["domain"]), float(point["wall"])
                self._seen = (found.st_mtime_ns, found.st_ino)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"the rehearsal clock file {self._path.name} cannot be read; write it with set_rehearsal_clock"
            ) from error
        return self._domain + timedelta(seconds=time.time() - self._wall)


def set_rehearsal_clock(path: Path, domain: datetime) -> None:
    """Jump: from now on the rehearsal's time runs on from `domain`. Replaces the file in one step."""
    point = {"domain": domain.isoformat(), "wall": time.time()}
    write_atomic(path, json.dumps(point).encode("ascii"), mode=_READABLE)  # containers read it as other users


def choose_clock(clock_file: Path | None, campaigns: Iterable[Campaign]) -> Clock:
    """Return the rehearsal's clock where a file is set, else the system's. Raises ConfigurationError."""
    if clock_file is None:
        return SystemClock()
    real = [campaign.id for campaign in campaigns if not campaign.rehearsal]
    if real:
        raise ConfigurationError(
            f"KUJI_CLOCK_FILE is set but campaign {real[0]} is not a rehearsal; unset it, or add `rehearsal: true`"
        )
    return RehearsalClock(clock_file)
