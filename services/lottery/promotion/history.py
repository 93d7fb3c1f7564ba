"""Conversion of place events to events of the transcript's history and back (`docs/protocols.md` §2). Pure.

A history event has the members `event`, `at`, `reason` and `prev`, then `entry` (hex), `class` and `seats`, and the
members of its kind: `answer_by` of an offer, `past` if entries were passed over, `state`, `extra` and `choices` of a
correction. It contains no person and no free text.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent, WaitingLists
from services.lottery.record.manifest import Manifest
from services.lottery.record.transcript import make_history_event
from shared.json_types import JsonObject

HistoryEvent = Mapping[str, Any]


def chain_events(events: Iterable[PlaceEvent], last: HistoryEvent) -> Iterator[JsonObject]:
    """Yield the history events of `events`, chained by hash; the first one follows `last`."""
    for event in events:
        last = make_history_event(event.move, event.at, last, event.reason, **_facts(event))
        yield dict(last)


def read_place_events(history: Iterable[HistoryEvent]) -> list[PlaceEvent]:
    """Return the events that concern places. Raises KeyError or ValueError if one does not have their form."""
    moves = set(Move)
    return [_place_event(event) for event in history if event["event"] in moves]


def empty_lists(manifest: Manifest) -> WaitingLists:
    """Return waiting lists without places, under the rules of the manifest."""
    classes = {rule.id: rule for rule in manifest.classes}
    return WaitingLists(classes, manifest.rules.max_wins, manifest.promotion)


def _facts(event: PlaceEvent) -> JsonObject:
    facts: JsonObject = {"entry": event.entry, "class": event.class_id, "seats": event.seats}
    if event.answer_by is not None:
        facts["answer_by"] = event.answer_by.isoformat()
    if event.past:
        facts["past"] = list(event.past)
    if event.move is Move.CORRECTED:
        facts |= {"state": event.state, "extra": event.extra, "choices": event.choices}
    return facts


def _place_event(event: HistoryEvent) -> PlaceEvent:
    answer_by, state = event.get("answer_by"), event.get("state")
    return PlaceEvent(
        move=Move(event["event"]),
        at=datetime.fromisoformat(event["at"]),
        reason=event["reason"],
        entry=event["entry"],
        class_id=event["class"],
        seats=event["seats"],
        state=None if state is None else PlaceState(state),
        answer_by=None if answer_by is None else datetime.fromisoformat(answer_by),
        past=tuple(event.get("past", ())),
        extra=event.get("extra", 0),
        choices=event.get("choices", ""),
    )
