"""Replay of the events after a draw against the rules, from the transcript alone. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.lottery.allocation.entries import Entry
from services.lottery.promotion.corrections import corrections_hold
from services.lottery.promotion.history import empty_lists, read_place_events
from services.lottery.promotion.states import Move
from services.lottery.promotion.waiting_list import InvalidMoveError, PlaceEvent, WaitingLists, add_draw_result
from services.lottery.record.manifest import Manifest


def replay_history(
    content: Mapping[str, Any], manifest: Manifest, entries: Sequence[Entry], key: bytes
) -> WaitingLists:
    """Return the places after the transcript's history.

    Raises InvalidMoveError if an event breaks a rule, and KeyError, TypeError or ValueError if one has another form.
    """
    seats = {(entry.id.hex(), name): seats for entry in entries for name, seats in entry.choices}
    lists = add_draw_result(content["winners"], content["waiting"], seats, empty_lists(manifest))
    before = None
    for number, event in enumerate(read_place_events(content["history"]), 1):
        if before is not None and event.at < before:
            raise InvalidMoveError(f"event {number}: the history goes back in time")
        try:
            lists.apply(event)
        except InvalidMoveError as error:
            raise InvalidMoveError(f"event {number}: {error}") from None
        before = event.at
    for entry, corrections in _corrections(content).items():
        if not corrections_hold(key, entries, manifest.classes, manifest.rules, corrections):
            raise InvalidMoveError(f"the draw would not have given entry {entry} this, or more than this")
    return lists


def _corrections(content: Mapping[str, Any]) -> dict[str, list[PlaceEvent]]:
    """Group corrections by entry: they are checked together because one place may exclude another."""
    found: dict[str, list[PlaceEvent]] = {}
    for event in read_place_events(content["history"]):
        if event.move is Move.CORRECTED:
            found.setdefault(event.entry, []).append(event)
    return found
