"""Whether what happened to places after a draw was right, from the transcript alone. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.lottery.allocation.entries import Entry
from services.lottery.promotion.corrections import rightly
from services.lottery.promotion.history import beginning, steps_of
from services.lottery.promotion.states import Move
from services.lottery.promotion.waiting_list import BadMove, Standing, Step, drawn
from services.lottery.record.manifest import Manifest


def replayed(content: Mapping[str, Any], manifest: Manifest, entries: Sequence[Entry], key: bytes) -> Standing:
    """Places as they stand after the transcript's history.

    Raises BadMove where a step is against the rules, and KeyError, TypeError or ValueError where one has not the form.
    """
    seats = {(entry.id.hex(), name): seats for entry in entries for name, seats in entry.choices}
    standing = drawn(content["winners"], content["waiting"], seats, beginning(manifest))
    before = None
    for number, step in enumerate(steps_of(content["history"]), 1):
        if before is not None and step.at < before:
            raise BadMove(f"step {number}: the history goes back in time")
        try:
            standing.apply(step)
        except BadMove as error:
            raise BadMove(f"step {number}: {error}") from None
        before = step.at
    for entry, steps in _corrections(content).items():
        if not rightly(key, entries, manifest.classes, manifest.rules, steps):
            raise BadMove(f"the draw would not have given entry {entry} this, or more than this")
    return standing


def _corrections(content: Mapping[str, Any]) -> dict[str, list[Step]]:
    """By entry: what it got belongs together, for one place may exclude another."""
    found: dict[str, list[Step]] = {}
    for step in steps_of(content["history"]):
        if step.move is Move.CORRECTED:
            found.setdefault(step.entry, []).append(step)
    return found
