"""Turn an allocation into results: exactly one outcome per application and class asked for. Pure."""

from collections.abc import Callable, Iterator, Sequence

from services.lottery.allocation.allocator import Allocation
from services.lottery.allocation.tickets import Positions
from services.lottery.draw.rules.entry import Entry
from shared.contracts import ClassPass, Outcome, Result
from shared.ids import ApplicationId, ClassId, application_id_bytes

PassCodes = Callable[[ApplicationId], str]
"""Returns the pass code of an application."""
Passes = Callable[[bytes, ClassId, int], str]
"""Returns the signed pass of an entry (16 bytes) for a class and a number of seats."""


class Outcomes:
    """Gives results to entries, by their positions in the frozen list."""

    def __init__(self, allocation: Allocation, pass_codes: PassCodes, passes: Passes) -> None:
        self._allocation, self._pass_codes, self._passes = allocation, pass_codes, passes
        self._won = {name: frozenset(won.tolist()) for name, won in allocation.winners.items()}
        self._ranks = {name: _ranks(waiting) for name, waiting in allocation.waiting.items()}

    def results(self, start: int, entries: Sequence[Entry]) -> list[Result]:
        """Return one result for each entry; the first entry has position `start` in the frozen list."""
        return [self._result(start + offset, entry) for offset, entry in enumerate(entries)]

    def _result(self, position: int, entry: Entry) -> Result:
        """Return the result of an entry. Raises ValueError if the entry has no receipt number or no token."""
        if entry.receipt is None or entry.token is None:
            raise ValueError("an accepted entry has a receipt number and a token")
        outcomes = tuple(self._outcomes(position, entry))
        has_code = any(outcome.outcome in {"won", "waiting"} for outcome in outcomes)
        return Result(
            application_id=entry.application_id,
            receipt=entry.receipt,
            token=entry.token,
            pass_code=self._pass_codes(entry.application_id) if has_code else None,
            passes=tuple(self._class_passes(entry, outcomes)),
            outcomes=outcomes,
        )

    def _class_passes(self, entry: Entry, outcomes: Sequence[Outcome]) -> Iterator[ClassPass]:
        name = application_id_bytes(entry.application_id)
        for outcome in outcomes:
            if outcome.outcome == "won":
                code = self._passes(name, outcome.class_id, outcome.seats)
                yield ClassPass(class_id=outcome.class_id, code=code)

    def _outcomes(self, position: int, entry: Entry) -> Iterator[Outcome]:
        for class_id, seats in entry.choices:
            yield self._outcome(position, class_id, seats)
        for class_id, reason in entry.refused:
            yield Outcome(class_id=class_id, outcome="refused", seats=1, reason=reason)

    def _outcome(self, position: int, name: ClassId, seats: int) -> Outcome:
        if position in self._won[name]:
            return Outcome(class_id=name, outcome="won", seats=seats)
        if position in self._ranks[name]:
            return Outcome(class_id=name, outcome="waiting", seats=seats, position=self._ranks[name][position])
        return Outcome(class_id=name, outcome="lost", seats=seats, reason=self._allocation.lost(position, name))


def _ranks(waiting: Positions) -> dict[int, int]:
    """Return the rank on the waiting list, from 1, by position in the frozen list."""
    return {position: rank for rank, position in enumerate(waiting.tolist(), 1)}
