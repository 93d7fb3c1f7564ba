"""One person's path through a draw: the ticket, the place it gives, what was tried in each round, and what came of it.

Computed from the transcript alone, without personal data; who knows an entry's id can follow it. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.reference_allocator import Attempt, PlainAllocation, allocate_plainly
from services.lottery.allocation.tickets import tickets
from services.lottery.record.manifest import Manifest


@dataclass(frozen=True)
class Ending:
    """What became of one class. `place`: in the order won, or on the waiting list; `reason`: why it was lost."""

    class_id: str
    outcome: Literal["won", "waiting", "lost"]
    place: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Trace:
    """`ticket` in hex; `place` from 1 among `entries`."""

    entry: str
    ticket: str
    place: int
    entries: int
    attempts: tuple[Attempt, ...]
    endings: tuple[Ending, ...]

    def shown(self) -> dict[str, Any]:
        return {
            "entry": self.entry,
            "ticket": self.ticket,
            "place": self.place,
            "entries": self.entries,
            "attempts": [vars(each) for each in self.attempts],
            "endings": [{k: v for k, v in vars(each).items() if v is not None} for each in self.endings],
        }


def trace(key: bytes, manifest: Manifest, entries: Sequence[Entry], entry: bytes) -> Trace | None:
    """None where the entry is not on the list."""
    chosen = next((each for each in entries if each.id == entry), None)
    if chosen is None:
        return None
    result = allocate_plainly(key, entries, manifest.classes, manifest.rules, watched=entry)
    return Trace(
        entry=entry.hex(),
        ticket=tickets(key, entry).hex(),
        place=result.order.index(entry) + 1,
        entries=len(entries),
        attempts=result.attempts,
        endings=tuple(_endings(chosen, result)),
    )


def _endings(chosen: Entry, result: PlainAllocation) -> Iterator[Ending]:
    for name, _ in chosen.choices:
        if place := _place(result.winners, name, chosen.id):
            yield Ending(name, "won", place)
        elif place := _place(result.waiting, name, chosen.id):
            yield Ending(name, "waiting", place)
        else:
            yield Ending(name, "lost", reason=result.lost[chosen.id][name])


def _place(ids: Mapping[str, tuple[bytes, ...]], name: str, entry: bytes) -> int | None:
    return ids[name].index(entry) + 1 if entry in ids[name] else None
