"""States of entries during the allocation: a list of choices, and the classes that are held. Pure.

A draw of millions of entries has few such states. Small tables give, for each state, the next choice that is taken,
the state after it, and the classes that may be waited for. The allocator processes a run of entries by look-up.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.frozen_list import Choices

_NONE = -1

Held = frozenset[str]
"""Ids of the classes that an entry holds before the draw."""


class HoldingStates:
    """States, numbered from 0: first the lists of `table` with what was held before, then states that arise by taking.

    `overlaps[a][b]`: True if an entry that holds class a cannot take class b. Columns: one for each rank in a list.
    `held`: classes that the entries of each list hold before the draw; none at all for a campaign's first draw.
    """

    def __init__(
        self,
        table: Sequence[Choices],
        names: Sequence[str],
        overlaps: Sequence[Sequence[bool]],
        max_wins: int,
        held: Sequence[Held] = (),
    ) -> None:
        self._number = {name: number for number, name in enumerate(names)}
        self._max_wins = max_wins
        self._width = max((len(choices) for choices in table), default=0)
        self._classes, self._seats = self._columns(table)
        self._barring = np.array(overlaps, bool).reshape(len(names), len(names)) | np.eye(len(names), dtype=bool)
        self._list = np.arange(len(table))
        self._holds = self._held_before(held or [frozenset()] * len(table))
        self._barred = (self._holds.astype(np.uint8) @ self._barring.astype(np.uint8)).astype(bool)
        self._after: dict[tuple[int, int], int] = {}
        self._state_of_list: dict[tuple[Choices, bytes], int] = {}
        self.unordered = len(table)
        """Number of states that belong to the lists of `table` in their original order."""

    def _columns(self, table: Sequence[Choices]) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        classes = np.full((len(table), self._width), _NONE, np.int16)
        seats = np.zeros((len(table), self._width), np.int64)
        for row, choices in enumerate(table):
            classes[row, : len(choices)] = [self._number[name] for name, _ in choices]
            seats[row, : len(choices)] = [each for _, each in choices]
        return classes, seats

    def _held_before(self, held: Sequence[Held]) -> NDArray[np.bool_]:
        holds = np.zeros((len(held), len(self._number)), bool)
        for row, names in enumerate(held):
            holds[row, [self._number[name] for name in names]] = True
        return holds

    def ordered(self, lists: Sequence[Choices], before: Sequence[int]) -> NDArray[np.uint32]:
        """Return the states of entries that try these lists in this order; add new states.

        `before`: for each of the lists the state that its entries had with their list in its original order.
        """
        wanted = [(each, self._holds[state].tobytes()) for each, state in zip(lists, before, strict=True)]
        states = dict(zip(wanted, before, strict=True))
        fresh = [one for one in states if one not in self._state_of_list]
        if fresh:
            self._state_of_list.update({one: self.count + at for at, one in enumerate(fresh)})
            classes, seats = self._columns([each for each, _ in fresh])
            self._list = np.append(self._list, len(self._classes) + np.arange(len(fresh)))
            self._classes, self._seats = np.vstack([self._classes, classes]), np.vstack([self._seats, seats])
            same = [states[one] for one in fresh]
            self._holds = np.vstack([self._holds, self._holds[same]])
            self._barred = np.vstack([self._barred, self._barred[same]])
        return np.array([self._state_of_list[one] for one in wanted], np.uint32)

    @property
    def count(self) -> int:
        return len(self._list)

    def picks(self, left: NDArray[np.int64]) -> NDArray[np.int16]:
        """Return for each state the rank of the choice that is taken next, -1 for none. `left`: free seats by class."""
        classes, seats = self._classes[self._list], self._seats[self._list]
        asks = classes != _NONE
        may = asks & (left[classes] >= seats) & ~np.take_along_axis(self._barred, np.where(asks, classes, 0), axis=1)
        may &= self._below_limit()[:, np.newaxis]
        if not may.shape[1]:
            return np.full(self.count, _NONE, np.int16)
        return np.where(may.any(axis=1), may.argmax(axis=1), _NONE).astype(np.int16)

    def taken(
        self, states: NDArray[np.uint32], picks: NDArray[np.int16]
    ) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        """Return class and seats that an entry in each of these states takes."""
        rows = self._list[: len(picks)]  # no entry is in a state that arose since
        return self._classes[rows, picks][states], self._seats[rows, picks][states]

    def largest_open(self, number: int, left: NDArray[np.int64]) -> int:
        """Return the largest number of seats that a choice of this class requests and can still get."""
        asked = self._seats[self._classes == number]
        return int(asked[asked <= left[number]].max())

    def after(self, states: NDArray[np.uint32], picks: NDArray[np.int16]) -> NDArray[np.uint32]:
        """Return the states after each of these has taken its pick."""
        found = np.flatnonzero(np.bincount(states))
        transitions = [(int(state), int(picks[state])) for state in found]
        self._add([one for one in transitions if one not in self._after])
        following = np.zeros(self.count, np.uint32)
        following[found] = [self._after[one] for one in transitions]
        return following[states]

    def _add(self, transitions: Sequence[tuple[int, int]]) -> None:
        """Add the states that these transitions (state, rank that is taken) lead to."""
        if not transitions:
            return
        self._after.update({one: self.count + at for at, one in enumerate(transitions)})
        before, ranks = (np.array(column) for column in zip(*transitions, strict=True))
        numbers = self._classes[self._list[before], ranks]
        holds, barred = self._holds[before], self._barred[before] | self._barring[numbers]
        holds[np.arange(len(transitions)), numbers] = True
        self._list = np.append(self._list, self._list[before])
        self._holds, self._barred = np.vstack([self._holds, holds]), np.vstack([self._barred, barred])

    def may_wait(self, name: str) -> NDArray[np.bool_]:
        """Return for each state True if the class was chosen, is not held, and could still be taken."""
        number = self._number[name]
        asks = (self._classes == number).any(axis=1)[self._list]
        return np.asarray(asks & self._below_limit() & ~self._barred[:, number])

    def _below_limit(self) -> NDArray[np.bool_]:
        return np.asarray(self._holds.sum(axis=1) < self._max_wins)

    def attempts(self, state: int) -> list[tuple[int, int]]:
        """Return the choices (class number, seats) of an entry in this state, in the order in which it tries them."""
        row = self._list[state]
        asked = self._classes[row] != _NONE
        return list(zip(self._classes[row][asked].tolist(), self._seats[row][asked].tolist(), strict=True))

    def held_before(self, state: int) -> frozenset[int]:
        """Return the classes that an entry in this state held before the draw: those that it did not ask for in it."""
        held = np.flatnonzero(self._holds[state]).tolist()
        return frozenset(held) - {number for number, _ in self.attempts(state)}

    @cached_property
    def barring(self) -> tuple[frozenset[int], ...]:
        """Classes that an entry cannot take once it holds class c, c among them, for each class number c."""
        return tuple(frozenset(np.flatnonzero(row).tolist()) for row in self._barring)

    def number(self, name: str) -> int:
        return self._number[name]

    def lost(self, state: int, name: str) -> Literal["drawn", "limit", "clash"]:
        """Return the reason for which an entry in this state has neither the class nor a place on its waiting list.

        A group that met too few free seats is `drawn` here: that depends on its turns, not on the state alone.
        """
        if self._holds[state].sum() >= self._max_wins:
            return "limit"
        return "clash" if self._barred[state, self._number[name]] else "drawn"
