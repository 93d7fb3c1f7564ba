"""Replay of the events after a draw against the rules, from the transcript alone. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.lottery.allocation.entries import Entry
from services.lottery.promotion.corrections import corrections_hold
from services.lottery.promotion.further_round import end_waiting, take_over
from services.lottery.promotion.history import empty_lists, read_place_events
from services.lottery.promotion.states import Move
from services.lottery.promotion.waiting_list import InvalidMoveError, PlaceEvent, WaitingLists, add_draw_result
from services.lottery.record.manifest import Manifest
from services.lottery.record.taken_over import read_places


def replay_history(
    content: Mapping[str, Any], manifest: Manifest, entries: Sequence[Entry], key: bytes
) -> WaitingLists:
    """Return the places after the transcript's history. Corrections after a further round are checked with the draws
    before it (`check_corrections`).

    Raises InvalidMoveError if an event breaks a rule, and KeyError, TypeError or ValueError if one has another form.
    """
    seats = {(entry.id.hex(), name): seats for entry in entries for name, seats in entry.choices}
    lists = empty_lists(manifest)
    if manifest.further is not None:
        lists.extra.update(manifest.further.extra)
        take_over(lists, read_places(content["places"]))
    add_draw_result(content["winners"], content["waiting"], seats, lists)
    if manifest.further is not None:
        end_waiting(lists, (entry for won in content["winners"].values() for entry in won))
    before = None
    for number, event in enumerate(read_place_events(content["history"]), 1):
        if before is not None and event.at < before:
            raise InvalidMoveError(f"event {number}: the history goes back in time")
        try:
            lists.apply(event)
        except InvalidMoveError as error:
            raise InvalidMoveError(f"event {number}: {error}") from None
        before = event.at
    if manifest.further is None:
        check_corrections([content], manifest, entries, key)
    return lists


def check_corrections(
    contents: Sequence[Mapping[str, Any]], manifest: Manifest, entries: Sequence[Entry], key: bytes
) -> None:
    """Check that this draw would have given what corrections gave. Raises InvalidMoveError.

    `contents`: transcripts of this draw and of the further rounds after it; their corrections follow this draw too.
    """
    for content in contents:
        for entry, corrections in _corrections(content).items():
            if not corrections_hold(key, entries, manifest.classes, manifest.rules, corrections):
                raise InvalidMoveError(f"the draw would not have given entry {entry} this, or more than this")


def _corrections(content: Mapping[str, Any]) -> dict[str, list[PlaceEvent]]:
    """Group corrections by entry: they are checked together because one place may exclude another."""
    found: dict[str, list[PlaceEvent]] = {}
    for event in read_place_events(content["history"]):
        if event.move is Move.CORRECTED:
            found.setdefault(event.entry, []).append(event)
    return found
