"""Checks of a further round: from its transcript alone, and with those of the draws that it continues. Pure."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.lottery.allocation.entries import Entry
from services.lottery.promotion.further_round import (
    GIVEN_UP,
    EntryPlaces,
    Participation,
    places_left,
    seats_to_draw,
    take_over,
)
from services.lottery.promotion.history import empty_lists, read_place_events
from services.lottery.promotion.replay import check_corrections, replay_history
from services.lottery.promotion.waiting_list import InvalidMoveError
from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import compute_root, read_rows
from services.lottery.record.taken_over import TakenPlace, held_classes, read_places, write_places
from services.lottery.verification.check import Check
from shared.canonical import canonical

Transcript = Mapping[str, Any]


def is_further_round(content: Transcript) -> bool:
    """Return True if the transcript is of a further round."""
    return "further" in json.loads(content["manifest"])


def sort_draws(contents: Sequence[Transcript]) -> list[Transcript]:
    """Return transcripts of one campaign by the number of the draw. Raises KeyError, TypeError or ValueError."""
    return sorted(contents, key=lambda one: int(json.loads(one["manifest"])["draw"].rpartition("-")[2]))


def held_by_listed(entries: Sequence[Entry], places: Sequence[TakenPlace]) -> Mapping[bytes, frozenset[str]]:
    """Return the classes that entries of the list hold before the round."""
    held, listed = held_classes(places), {entry.id for entry in entries}
    return {entry: names for entry, names in held.items() if entry in listed}


def taken_over_checks(manifest: Manifest, text: str, entries: Sequence[Entry]) -> Iterator[Check]:
    """Check the places that a further round took over, and that it draws the seats that they leave free."""
    further, places = manifest.further, read_places(text)
    if further is None:
        raise ValueError("this is no further round")
    committed = len(places) == further.places.count and compute_root(text) == further.places.root
    yield Check("places taken over", committed, f"{len(places)} places, to which the manifest commits")
    yield Check("who takes part", further.scope == manifest.scope, f"the rules say {manifest.scope}")
    lists = empty_lists(manifest)
    lists.extra.update(further.extra)
    take_over(lists, places)
    free = {rule.id: lists.free(rule.id) for rule in manifest.classes}
    waiting = {rule.id: len(list(lists.waiting(rule.id))) for rule in manifest.classes}
    drawn = seats_to_draw(manifest.classes, free, waiting, manifest.randomness_from)
    yield Check("free seats", drawn == dict(further.free) and min(free.values()) >= 0, f"{sum(drawn.values())} seats")
    taking_part = _participation(manifest)
    held = held_classes(places)
    may = all(
        entry.choices == taking_part.choices(entry.choices, (), EntryPlaces(held.get(entry.id, frozenset())))
        for entry in entries
    )
    yield Check("further round", may, "each entry may take what it is listed for, beside the places that it holds")


def check_continued(content: Transcript, earlier: Sequence[Transcript], rows: Mapping[str, str]) -> Check:
    """Check that a further round continues the last of these draws, and leaves no entry out that may take part.

    `earlier`: transcripts of the draws that it continues, oldest first; `rows`: the rows of each by draw id.
    """
    name = "draws before"
    try:
        fault = _fault(content, earlier, rows)
    except InvalidMoveError as error:
        return Check(name, False, str(error))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        return Check(name, False, f"they cannot be read: {type(error).__name__}")
    return Check(name, fault is None, fault or f"it begins with the places that {len(earlier)} draws before it left")


def _fault(content: Transcript, earlier: Sequence[Transcript], rows: Mapping[str, str]) -> str | None:
    manifest, before = Manifest.read(content["manifest"]), earlier[-1]
    further = manifest.further
    if further is None:
        return "this is no further round"
    manifests = [Manifest.read(one["manifest"]) for one in earlier]
    fault = _other_draws(content, earlier) or _other_scope([*manifests, manifest])
    if fault is not None:
        return fault
    if _sha256(before["history"][-1]) != further.history_sha256:
        return "the draw before has another history: it is of another time, or places moved meanwhile"
    lists = [read_rows(rows[one.draw]) for one in manifests]
    left = replay_history(before, manifests[-1], lists[-1], bytes.fromhex(before["key"]))
    if write_places(places_left(left)) != content["places"]:
        return "it does not begin with the places that the draw before left"
    check_corrections([*earlier, content], manifests[0], lists[0], bytes.fromhex(earlier[0]["key"]))
    listed = {entry.id: entry.choices for entry in read_rows(rows[manifest.draw])}
    return _missing(manifest, lists[0], listed, earlier, read_places(content["places"]))


def _other_draws(content: Transcript, earlier: Sequence[Transcript]) -> str | None:
    """Return a fault unless each draw continues the one before it, from the first one on."""
    if not all(_continues(one, previous) for one, previous in zip([*earlier[1:], content], earlier, strict=True)):
        return "these are not the draws that it continues"
    return "the first of the draws that it continues is missing" if is_further_round(earlier[0]) else None


def _other_scope(manifests: Sequence[Manifest]) -> str | None:
    """Return a fault unless all draws say alike who takes part in further rounds."""
    if all(one.scope == manifests[0].scope for one in manifests):
        return None
    return "who takes part is not as the first draw fixed it, before its result was known"


def _continues(one: Transcript, previous: Transcript) -> bool:
    further = Manifest.read(one["manifest"]).further
    named = hashlib.sha256(previous["manifest"].encode()).hexdigest()
    return further is not None and further.manifest_sha256 == named


def _missing(
    manifest: Manifest,
    entries: Sequence[Entry],
    listed: Mapping[bytes, Any],
    earlier: Sequence[Transcript],
    places: Sequence[TakenPlace],
) -> str | None:
    """Return a fault if the list is not that of the first draw's entries that may take part, each with its choices.

    Where everybody takes part, further choices may follow: a transcript does not say for which classes an entry is
    eligible.
    """
    taking_part, held, given_up = _participation(manifest), held_classes(places), _given_up(earlier)
    expected = {
        entry.id: taking_part.choices(
            entry.choices, (), EntryPlaces(held.get(entry.id, frozenset()), given_up.get(entry.id, frozenset()))
        )
        for entry in entries
    }
    if not listed.keys() <= expected.keys():
        return "an entry takes part that was not in the draw"
    for entry, choices in expected.items():
        found = listed.get(entry, ())
        if found[: len(choices)] != choices or (taking_part.scope == "asked" and len(found) != len(choices)):
            return f"entry {entry.hex()} takes part with other choices than the rules give it"
        if any(name in given_up.get(entry, ()) for name, _ in found):
            return f"entry {entry.hex()} takes part for a class that it gave up"
    return None


def _participation(manifest: Manifest) -> Participation:
    further = manifest.further
    if further is None:
        raise ValueError("this is no further round")
    classes = {rule.id: rule for rule in manifest.classes}
    return Participation(classes, manifest.rules, further.scope, further.free)


def _given_up(earlier: Sequence[Transcript]) -> dict[bytes, frozenset[str]]:
    """Return the classes that each entry gave up in these draws."""
    given_up: dict[bytes, frozenset[str]] = {}
    for event in (event for one in earlier for event in read_place_events(one["history"])):
        if event.move in GIVEN_UP:
            entry = bytes.fromhex(event.entry)
            given_up[entry] = given_up.get(entry, frozenset()) | {event.class_id}
    return given_up


def _sha256(event: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(event)).hexdigest()
