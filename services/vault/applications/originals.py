"""Find the first application of each content, and the contents that give way by a handler's decision. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from services.vault.applications.matching import COPY
from services.vault.applications.rules.pairs import Pair
from services.vault.applications.stored import StoredApplication
from shared.ids import ApplicationId

Originals: TypeAlias = Mapping[str, StoredApplication]
"""Content → the first application with it."""


def order_of(application: StoredApplication) -> tuple[datetime, ApplicationId]:
    """Return what orders applications of one person."""
    return application.arrived_at, application.application_id


def find_originals(applications: Iterable[StoredApplication]) -> dict[str, StoredApplication]:
    """Return content → the first application with it whose own content is in order."""
    first: dict[str, StoredApplication] = {}
    for one in sorted((one for one in applications if one.is_applying), key=order_of):
        first.setdefault(one.keys[COPY], one)
    return first


def find_losers(originals: Originals, pairs: Iterable[Pair]) -> dict[str, Pair]:
    """Return content → the decided pair by which it gives way.

    Decisions in a circle (each gives way to the next, after withdrawals) leave the first by arrival.
    """
    losers: dict[str, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: (pair.first, pair.second)):
        if pair.loser is not None and pair.contents <= originals.keys():
            losers.setdefault(pair.loser, pair)
    for content in sorted(losers, key=lambda one: order_of(originals[one])):
        if content in losers and _leads_in_a_circle(content, losers):
            del losers[content]
    return losers


def _leads_in_a_circle(content: str, losers: Mapping[str, Pair]) -> bool:
    seen: set[str] = set()
    at = content
    while at in losers and at not in seen:
        seen.add(at)
        at = losers[at].other(at)
    return at == content


def is_open(pair: Pair, originals: Originals, losers: Mapping[str, Pair]) -> bool:
    """Return True if a doubt waits for a decision: both applications would stand without the other."""
    return pair.decision is None and pair.contents <= originals.keys() and not pair.contents & losers.keys()
