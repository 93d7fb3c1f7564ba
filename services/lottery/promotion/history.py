"""Steps as events of the transcript's history, and back (`docs/protocols.md` §2, "After the draw"). Pure.

An event holds the members of every event (`event`, `at`, `reason`, `prev`), then `entry` (hex), `class`, `seats`, and
what its kind needs: `answer_by` of an offer, `past` where somebody was passed over, `state`, `extra` and `choices` of a
correction. No person, no free text.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import Standing, Step
from services.lottery.record.manifest import Manifest
from services.lottery.record.transcript import history_event

Event = Mapping[str, Any]


def chained(steps: Iterable[Step], last: Event) -> Iterator[dict[str, Any]]:
    """The events of `steps`, the first of them after `last`."""
    for step in steps:
        last = history_event(step.move, step.at, last, step.reason, **_facts(step))
        yield dict(last)


def steps_of(history: Iterable[Event]) -> list[Step]:
    """Those events that concern places. KeyError or ValueError where one has not their form."""
    moves = set(Move)
    return [_step(event) for event in history if event["event"] in moves]


def beginning(manifest: Manifest) -> Standing:
    """Nobody holds anything yet, under the rules that the manifest fixed."""
    classes = {rule.id: rule for rule in manifest.classes}
    return Standing(classes, manifest.rules.max_wins, manifest.promotion)


def _facts(step: Step) -> dict[str, Any]:
    facts: dict[str, Any] = {"entry": step.entry, "class": step.class_id, "seats": step.seats}
    if step.answer_by is not None:
        facts["answer_by"] = step.answer_by.isoformat()
    if step.past:
        facts["past"] = list(step.past)
    if step.move is Move.CORRECTED:
        facts |= {"state": step.state, "extra": step.extra, "choices": step.choices}
    return facts


def _step(event: Event) -> Step:
    answer_by, state = event.get("answer_by"), event.get("state")
    return Step(
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
