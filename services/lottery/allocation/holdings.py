"""The situations that an entry can be in: its list of choices, and which of them it holds. Pure.

A draw of millions has few of them. What somebody in a situation takes next, what follows from that, and whether one
may wait for a class are columns of small tables, so that a run of entries is answered by looking them up.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.frozen_list import Choices

_NOBODY = -1


class Situations:
    """Numbered from 0: the first are the lists of `table` with nothing held; others come about by taking.

    `overlaps[a][b]`: whether one who holds class a cannot take class b. Columns: one for each place in a list.
    """

    def __init__(
        self, table: Sequence[Choices], names: Sequence[str], overlaps: Sequence[Sequence[bool]], max_wins: int
    ) -> None:
        self._number = {name: number for number, name in enumerate(names)}
        self._max_wins = max_wins
        self._width = max((len(choices) for choices in table), default=0)
        self._classes, self._seats = self._columns(table)
        self._barring = np.array(overlaps, bool).reshape(len(names), len(names)) | np.eye(len(names), dtype=bool)
        self._list = np.arange(len(table))
        self._holds = np.zeros((len(table), len(names)), bool)
        self._barred = np.zeros((len(table), len(names)), bool)
        self._after: dict[tuple[int, int], int] = {}
        self._tried: dict[Choices, int] = {}
        self.unordered = len(table)
        """Situations below this number are those of the lists as they were written."""

    def _columns(self, table: Sequence[Choices]) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        classes = np.full((len(table), self._width), _NOBODY, np.int16)
        seats = np.zeros((len(table), self._width), np.int64)
        for row, choices in enumerate(table):
            classes[row, : len(choices)] = [self._number[name] for name, _ in choices]
            seats[row, : len(choices)] = [each for _, each in choices]
        return classes, seats

    def ordered(self, lists: Sequence[Choices]) -> NDArray[np.uint32]:
        """The situations of those who hold nothing and try these lists in this order; new ones are added."""
        fresh = [each for each in dict.fromkeys(lists) if each not in self._tried]
        if fresh:
            self._tried.update({each: self.count + at for at, each in enumerate(fresh)})
            classes, seats = self._columns(fresh)
            self._list = np.append(self._list, len(self._classes) + np.arange(len(fresh)))
            self._classes, self._seats = np.vstack([self._classes, classes]), np.vstack([self._seats, seats])
            nothing = np.zeros((len(fresh), self._holds.shape[1]), bool)
            self._holds, self._barred = np.vstack([self._holds, nothing]), np.vstack([self._barred, nothing])
        return np.array([self._tried[each] for each in lists], np.uint32)

    @property
    def count(self) -> int:
        return len(self._list)

    def picks(self, left: NDArray[np.int64]) -> NDArray[np.int16]:
        """For each situation the place in its list that is taken next, -1 for none; `left`: seats by class."""
        classes, seats = self._classes[self._list], self._seats[self._list]
        asks = classes != _NOBODY
        may = asks & (left[classes] >= seats) & ~np.take_along_axis(self._barred, np.where(asks, classes, 0), axis=1)
        if not may.shape[1]:
            return np.full(self.count, _NOBODY, np.int16)
        return np.where(may.any(axis=1), may.argmax(axis=1), _NOBODY).astype(np.int16)

    def taken(
        self, situations: NDArray[np.uint32], picks: NDArray[np.int16]
    ) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        """Class and seats that each of these takes."""
        rows, places = self._list[situations], picks[situations]
        return self._classes[rows, places], self._seats[rows, places]

    def largest_open(self, number: int, left: NDArray[np.int64]) -> int:
        """The most seats that a choice of this class asks for and can still get."""
        asked = self._seats[self._classes == number]
        return int(asked[asked <= left[number]].max())

    def after(self, situations: NDArray[np.uint32], picks: NDArray[np.int16]) -> NDArray[np.uint32]:
        """The situation of each after it has taken."""
        found, which = np.unique(situations, return_inverse=True)
        steps = [(int(each), int(picks[each])) for each in found]
        self._add([step for step in steps if step not in self._after])
        return np.array([self._after[step] for step in steps], np.uint32)[which]

    def _add(self, steps: Sequence[tuple[int, int]]) -> None:
        """The situations that these steps (situation, place that is taken) lead to."""
        if not steps:
            return
        self._after.update({step: self.count + at for at, step in enumerate(steps)})
        before, places = (np.array(column) for column in zip(*steps, strict=True))
        numbers = self._classes[self._list[before], places]
        holds, barred = self._holds[before], self._barred[before] | self._barring[numbers]
        holds[np.arange(len(steps)), numbers] = True
        self._list = np.append(self._list, self._list[before])
        self._holds, self._barred = np.vstack([self._holds, holds]), np.vstack([self._barred, barred])

    def may_wait(self, name: str) -> NDArray[np.bool_]:
        """For each situation: asks for the class, does not hold it, holds fewer than may be held, has no clash."""
        number = self._number[name]
        asks = (self._classes == number).any(axis=1)[self._list]
        below = self._holds.sum(axis=1) < self._max_wins
        return np.asarray(asks & below & ~self._barred[:, number])

    def lost(self, situation: int, name: str) -> Literal["drawn", "limit", "clash"]:
        """Why somebody in this situation has neither the class nor a place on its waiting list."""
        if self._holds[situation].sum() >= self._max_wins:
            return "limit"
        return "clash" if self._barred[situation, self._number[name]] else "drawn"
