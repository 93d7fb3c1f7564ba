"""Trace of one entry through a draw: ticket, rank, attempts in each round, and outcomes. Pure.

Computed from the transcript alone, without personal data. Anyone who knows an entry's id can trace it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.reference_allocator import Attempt, ReferenceAllocation, allocate_entry_by_entry
from services.lottery.allocation.tickets import tickets
from services.lottery.record.manifest import Manifest
from services.lottery.record.taken_over import read_places
from services.lottery.verification.further_checks import held_by_listed


@dataclass(frozen=True)
class ClassOutcome:
    """Outcome of one chosen class. `rank`: in the order won or on the waiting list; `reason`: for a lost class."""

    class_id: str
    outcome: Literal["won", "waiting", "lost"]
    rank: int | None = None
    reason: str | None = None

    def to_document(self) -> Mapping[str, Any]:
        document = {"class_id": self.class_id, "outcome": self.outcome, "place": self.rank, "reason": self.reason}
        return {name: value for name, value in document.items() if value is not None}


@dataclass(frozen=True)
class Trace:
    """Trace of one entry. `ticket`: in hex; `rank`: from 1, among `entries`."""

    entry: str
    ticket: str
    rank: int
    entries: int
    attempts: tuple[Attempt, ...]
    outcomes: tuple[ClassOutcome, ...]

    def to_document(self) -> Mapping[str, Any]:
        return {
            "entry": self.entry,
            "ticket": self.ticket,
            "place": self.rank,
            "entries": self.entries,
            "attempts": [vars(attempt) for attempt in self.attempts],
            "endings": [outcome.to_document() for outcome in self.outcomes],
        }


def trace(
    key: bytes, manifest: Manifest, entries: Sequence[Entry], entry: bytes, places: str | None = None
) -> Trace | None:
    """Trace an entry; None if it is not on the list. `places`: text of the places that a further round took over."""
    chosen = next((listed for listed in entries if listed.id == entry), None)
    if chosen is None:
        return None
    held = {} if places is None else held_by_listed(entries, read_places(places))
    result = allocate_entry_by_entry(key, entries, manifest.drawn_classes, manifest.rules, watched=entry, held=held)
    return Trace(
        entry=entry.hex(),
        ticket=tickets(key, entry).hex(),
        rank=result.order.index(entry) + 1,
        entries=len(entries),
        attempts=result.attempts,
        outcomes=tuple(_outcomes(chosen, result)),
    )


def _outcomes(chosen: Entry, result: ReferenceAllocation) -> Iterator[ClassOutcome]:
    for name, _ in chosen.choices:
        if rank := _rank(result.winners, name, chosen.id):
            yield ClassOutcome(name, "won", rank)
        elif rank := _rank(result.waiting, name, chosen.id):
            yield ClassOutcome(name, "waiting", rank)
        else:
            yield ClassOutcome(name, "lost", reason=result.lost[chosen.id][name])


def _rank(ids: Mapping[str, tuple[bytes, ...]], name: str, entry: bytes) -> int | None:
    return ids[name].index(entry) + 1 if entry in ids[name] else None
