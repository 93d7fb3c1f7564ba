"""Times of a beacon's rounds: of drand's quicknet, or of a rehearsal's own chain (`docs/spec/draw-2.md` §5). Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

REHEARSAL: Final = "rehearsal"
"""Name of a rehearsal's own chain. The owner of its key knows every value, so a draw by it proves nothing."""

TIME_FOR_WITNESSES: Final = timedelta(minutes=30)
"""Time between the end of objections and the round, in which witnesses enter their digits."""


@dataclass(frozen=True)
class Schedule:
    """Times of the rounds. `genesis`: of round 1, in seconds since 1970; `period`: in seconds."""

    genesis: int
    period: int

    def time_of(self, round_number: int) -> datetime:
        """Return the time at which the round is published; its value is unknown before."""
        return datetime.fromtimestamp(self.genesis, UTC) + (round_number - 1) * timedelta(seconds=self.period)

    def round_after(self, at: datetime) -> int:
        """Return the first round that is published later than `at`."""
        return max(1, (at - self.time_of(1)) // timedelta(seconds=self.period) + 2)


QUICKNET: Final = Schedule(1692803367, 3)


def schedule_of(genesis: int | None, period: int | None) -> Schedule:
    """Return the schedule of a chain of its own; quicknet's where it names no times."""
    return QUICKNET if genesis is None or period is None else Schedule(genesis, period)
