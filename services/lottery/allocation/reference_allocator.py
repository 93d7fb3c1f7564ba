"""Reference allocator: the rules of `docs/protocols.md` §2 entry by entry, for the verifier. Pure.

The allocator processes millions of entries at once (`services.lottery.allocation.allocator`). The reference must be
readable beside the rules, and shares nothing with it but the cipher and `rules.py`. Every test run compares the two on
random draws.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from services.lottery.allocation.entries import Choice, Entry
from services.lottery.allocation.tickets import BLOCK, tickets
from services.lottery.rules import ClassRule, Rules

LostReason = Literal["drawn", "group", "limit", "clash"]


@dataclass(frozen=True)
class Attempt:
    """One attempt of an entry to take a class in a round. `left`: seats that the class had before it."""

    round: int
    class_id: str
    seats: int
    left: int
    outcome: Literal["taken", "held", "limit", "clash", "full"]


@dataclass(frozen=True)
class ReferenceAllocation:
    """Result of a draw, as entry ids by class: winners in the order won, waiting in the order of promotion."""

    order: tuple[bytes, ...]
    winners: Mapping[str, tuple[bytes, ...]]
    waiting: Mapping[str, tuple[bytes, ...]]
    lost: Mapping[bytes, Mapping[str, LostReason]]
    attempts: tuple[Attempt, ...] = ()


def allocate_entry_by_entry(
    key: bytes,
    entries: Sequence[Entry],
    classes: Sequence[ClassRule],
    rules: Rules,
    watched: bytes | None = None,
    held: Mapping[bytes, frozenset[str]] = MappingProxyType({}),
) -> ReferenceAllocation:
    """Allocate all seats from K, the frozen list and the manifest's rules.

    `watched`: an entry whose attempts are recorded. `held`: classes that entries hold before a further round.
    """
    drawn = _lots(key, entries)
    ordered = sorted(entries, key=lambda entry: drawn[entry.id])
    return allocate_in_order(ordered, _ordered_choices(key, ordered, rules), classes, rules, watched, held)


def allocate_in_order(
    ordered: Sequence[Entry],
    choices: Mapping[bytes, Sequence[Choice]],
    classes: Sequence[ClassRule],
    rules: Rules,
    watched: bytes | None = None,
    held: Mapping[bytes, frozenset[str]] = MappingProxyType({}),
) -> ReferenceAllocation:
    """Allocate all seats to entries in drawn order. `choices`: of each entry, in the order in which it tries them."""
    seats = _Seats(classes, rules, watched, held)
    for number in range(1, rules.max_wins + 1):
        before = seats.wins
        for entry in ordered if number % 2 else reversed(ordered):
            seats.take_first(number, entry.id, choices[entry.id])
        if seats.wins == before:
            break
    waiting = {rule.id: tuple(_waiting(rule, ordered, seats, rules)) for rule in classes}
    return ReferenceAllocation(
        order=tuple(entry.id for entry in ordered),
        winners={name: tuple(ids) for name, ids in seats.winners.items()},
        waiting=waiting,
        lost=_lost(ordered, seats, rules, waiting),
        attempts=tuple(seats.attempts),
    )


class _Seats:
    """Seats of all classes during the allocation."""

    def __init__(
        self,
        classes: Sequence[ClassRule],
        rules: Rules,
        watched: bytes | None,
        held: Mapping[bytes, frozenset[str]],
    ) -> None:
        self._watched, self._max_wins = watched, rules.max_wins
        self.attempts: list[Attempt] = []
        self._left = {rule.id: rule.capacity for rule in classes}
        self._clashes = {
            rule.id: frozenset(o.id for o in classes if o.id != rule.id and _overlap(rule, o)) for rule in classes
        }
        self.winners: dict[str, list[bytes]] = {rule.id: [] for rule in classes}
        self._held = {entry: set(names) for entry, names in held.items()}
        self.too_few: set[tuple[bytes, str]] = set()
        """Entries and classes that had free seats in a turn of the entry, but fewer than it asked for."""
        self.wins = 0

    def held_by(self, entry: bytes) -> set[str]:
        return self._held.get(entry, set())

    def clashes(self, entry: bytes, name: str) -> bool:
        """Return True if the class overlaps in time with one that the entry holds."""
        return not self._clashes[name].isdisjoint(self.held_by(entry))

    def take_first(self, number: int, entry: bytes, choices: Iterable[Choice]) -> None:
        for name, seats in choices:
            outcome = self._try(entry, name, seats)
            if entry == self._watched:
                self.attempts.append(Attempt(number, name, seats, self._left[name], outcome))
            if outcome == "taken":
                self._left[name] -= seats
                self.winners[name].append(entry)
                self._held.setdefault(entry, set()).add(name)
                self.wins += 1
                return

    def _try(self, entry: bytes, name: str, seats: int) -> Literal["taken", "held", "limit", "clash", "full"]:
        if name in self.held_by(entry):
            return "held"
        if len(self.held_by(entry)) >= self._max_wins:
            return "limit"  # only in a further round: a round gives one class, and there are `max_wins` rounds
        if self.clashes(entry, name):
            return "clash"
        if self._left[name] >= seats:
            return "taken"
        if self._left[name] > 0:
            self.too_few.add((entry, name))
        return "full"


def _overlap(one: ClassRule, other: ClassRule) -> bool:
    return one.starts < other.ends and other.starts < one.ends


def _ordered_choices(key: bytes, entries: Sequence[Entry], rules: Rules) -> dict[bytes, tuple[Choice, ...]]:
    """Return each entry's choices in the order in which it tries them.

    Without preferences: ascending `AES-256-ECB-decrypt(SHA-256(K ‖ class id), e)`, so that no class is favoured.
    """
    if rules.preferences:
        return {entry.id: entry.choices for entry in entries}
    names = sorted({name for entry in entries for name, _ in entry.choices})
    lots = {name: _lots(hashlib.sha256(key + name.encode("ascii")).digest(), entries) for name in names}
    return {entry.id: tuple(sorted(entry.choices, key=lambda choice: lots[choice[0]][entry.id])) for entry in entries}


def _lots(key: bytes, entries: Sequence[Entry]) -> dict[bytes, bytes]:
    """Return `AES-256-ECB-decrypt(key, e)` by entry, computed in one call."""
    blocks = tickets(key, b"".join(entry.id for entry in entries))
    return {entry.id: blocks[BLOCK * at : BLOCK * (at + 1)] for at, entry in enumerate(entries)}


def _waiting(rule: ClassRule, ordered: Sequence[Entry], table: _Seats, rules: Rules) -> Iterable[bytes]:
    """Yield by ticket the entries that chose the class, do not hold it, hold fewer than max_wins and have no clash."""
    room = rule.waiting
    for entry in ordered:
        if room == 0:
            return
        if any(name == rule.id for name, _ in entry.choices) and _could_take(entry.id, rule.id, table, rules):
            room -= 1
            yield entry.id


def _could_take(entry: bytes, name: str, table: _Seats, rules: Rules) -> bool:
    held = table.held_by(entry)
    return name not in held and len(held) < rules.max_wins and not table.clashes(entry, name)


def _lost(
    ordered: Sequence[Entry], table: _Seats, rules: Rules, waiting: Mapping[str, tuple[bytes, ...]]
) -> dict[bytes, dict[str, LostReason]]:
    waits = {name: frozenset(ids) for name, ids in waiting.items()}
    lost: dict[bytes, dict[str, LostReason]] = {}
    for entry in ordered:
        held = table.held_by(entry.id)
        for name, _ in entry.choices:
            if name not in held and entry.id not in waits[name]:
                lost.setdefault(entry.id, {})[name] = _reason(entry.id, name, table, rules)
    return lost


def _reason(entry: bytes, name: str, table: _Seats, rules: Rules) -> LostReason:
    if len(table.held_by(entry)) >= rules.max_wins:
        return "limit"
    if table.clashes(entry, name):
        return "clash"
    return "group" if (entry, name) in table.too_few else "drawn"
