"""Search invented households for second applications, in memory: blocks, scores, pairs."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.vault.applications.readings import NameReadings
from services.vault.applications.rules.blocks import blocks
from services.vault.applications.rules.similarity import Compared, Likeness, compare
from services.vault.identities.person import Person

READINGS = NameReadings().of


@dataclass(frozen=True)
class Found:
    """Pairs that wait for a decision, by index; `compared`: how many pairs share a block."""

    pairs: frozenset[tuple[int, int]]
    compared: int


def likeness(one: Person, other: Person) -> Likeness:
    """Return how alike two people are."""
    return compare(Compared.of(one, READINGS), Compared.of(other, READINGS))


def share_a_block(one: Person, other: Person) -> bool:
    """Return True if the search compares these two at all."""
    return bool(blocks(Compared.of(one, READINGS)) & blocks(Compared.of(other, READINGS)))


def search(people: Sequence[Person]) -> Found:
    """Return the doubtful pairs among people."""
    compared = [Compared.of(one, READINGS) for one in people]
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, one in enumerate(compared):
        for block in blocks(one):
            members[block].append(index)
    candidates = {pair for group in members.values() for pair in itertools.combinations(group, 2)}
    doubts = {pair for pair in candidates if compare(compared[pair[0]], compared[pair[1]]).is_doubt}
    return Found(frozenset(doubts), len(candidates))
