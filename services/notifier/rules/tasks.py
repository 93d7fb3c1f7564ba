"""Tasks that wait for a handler, derived from the states of notices and print batches. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from services.notifier.rules.notice import PrintBatch
from services.notifier.rules.states import UNREACHED, NoticeState, PrintBatchState

TaskCode = Literal[
    "silent", "release", "invalid", "unknown", "unclear", "by-telephone", "telephone", "undelivered",
    "reorder", "fetch", "count", "post",
]  # fmt: skip
"""Code of a task: the page's texts say what it is and what to do next."""

_OF_NOTICES: Final[Mapping[TaskCode, frozenset[NoticeState]]] = {
    "release": frozenset({NoticeState.UNRELEASED}),
    "invalid": frozenset({NoticeState.INVALID}),
    "unknown": frozenset({NoticeState.UNKNOWN}),
    "unclear": frozenset({NoticeState.UNCLEAR}),
    "by-telephone": frozenset({NoticeState.TO_PHONE}),
    "telephone": UNREACHED,
    "undelivered": frozenset({NoticeState.UNDELIVERED}),
}

_OF_BATCHES: Final[Mapping[PrintBatchState, TaskCode]] = {
    PrintBatchState.MISMATCH: "reorder",
    PrintBatchState.MADE: "fetch",
    PrintBatchState.FETCHED: "count",
    PrintBatchState.COUNTED: "post",
}


@dataclass(frozen=True)
class Task:
    """Task for a handler. `count`: notices or cards; `batch`: print batch; `done_by`: handlers who counted it."""

    code: TaskCode
    count: int
    batch: str | None = None
    done_by: tuple[str, ...] = ()


def open_tasks(
    states: Mapping[str, int],
    batches: Sequence[PrintBatch],
    unanswered: int,
    undecided: Mapping[str, int] = MappingProxyType({}),
) -> list[Task]:
    """Return the tasks, those first that hold the most people up. `unanswered`: mail orders without an answer.

    `undecided`: how many of the notices in each state are of that kind. Whom no card of it reaches is telephoned with
    the same words as who gets none: nothing may be said of another application.
    """
    states = Counter(states)
    for state in UNREACHED:
        states[NoticeState.TO_PHONE] += undecided.get(state, 0)
        states[state] -= undecided.get(state, 0)
    tasks = [Task("silent", unanswered)] if unanswered else []
    for code, of in _OF_NOTICES.items():
        if count := sum(states.get(state, 0) for state in of):
            tasks.append(Task(code, count))
    tasks += [
        Task(_OF_BATCHES[batch.state], batch.cards or len(batch.notices), batch.id, _counted_by(batch))
        for batch in batches
        if batch.state in _OF_BATCHES
    ]
    return tasks


def _counted_by(batch: PrintBatch) -> tuple[str, ...]:
    return tuple(count.actor for count in batch.counts)
