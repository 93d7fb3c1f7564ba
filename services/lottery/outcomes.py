"""From a result to what each applicant is told: exactly one outcome per application and class asked for. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from services.lottery.allocation import ClassRule, Rules, allocate
from services.lottery.entries import Entry
from shared.contracts import ClassPass, Outcome, Result
from shared.ids import ApplicationId, ClassId, application_id_bytes

PassCodes = Callable[[ApplicationId], str]
Passes = Callable[[bytes, ClassId, int], str]
"""The pass of an entry for a class and so many seats."""


def results(
    key: bytes,
    documents: Sequence[Mapping[str, Any]],
    entries: Sequence[Entry],
    classes: Sequence[ClassRule],
    rules: Rules,
    pass_codes: PassCodes,
    passes: Passes,
) -> list[Result]:
    """One result per accepted application, by application id; `documents` are the ledger's entries."""
    allocation = allocate(key, entries, classes, rules)
    won = {name: {each: at for at, each in enumerate(ids, 1)} for name, ids in allocation.winners.items()}
    waits = {name: {each: at for at, each in enumerate(ids, 1)} for name, ids in allocation.waiting.items()}
    told = []
    for document in sorted(documents, key=lambda each: str(each["_id"])):
        entry = application_id_bytes(document["_id"])
        outcomes = [
            *(_drawn(entry, choice, won, waits, allocation.lost.get(entry, {})) for choice in document["choices"]),
            *(
                Outcome(class_id=ClassId(refusal["class_id"]), outcome="refused", seats=1, reason=refusal["reason"])
                for refusal in document["refused"]
            ),
        ]
        has_code = any(outcome.outcome in {"won", "waiting"} for outcome in outcomes)
        told.append(
            Result(
                application_id=document["_id"],
                receipt=document["receipt"],
                token=document["token"],
                pass_code=pass_codes(document["_id"]) if has_code else None,
                passes=tuple(_passes(entry, outcomes, passes)),
                outcomes=tuple(outcomes),
            )
        )
    return told


def _passes(entry: bytes, outcomes: Sequence[Outcome], passes: Passes) -> Iterator[ClassPass]:
    for each in outcomes:
        if each.outcome == "won":
            yield ClassPass(class_id=each.class_id, code=passes(entry, each.class_id, each.seats))


def _drawn(
    entry: bytes,
    choice: Mapping[str, Any],
    won: Mapping[str, Mapping[bytes, int]],
    waits: Mapping[str, Mapping[bytes, int]],
    lost: Mapping[str, str],
) -> Outcome:
    name, seats = ClassId(choice["class_id"]), int(choice["seats"])
    if entry in won[name]:
        return Outcome(class_id=name, outcome="won", seats=seats)
    if entry in waits[name]:
        return Outcome(class_id=name, outcome="waiting", seats=seats, position=waits[name][entry])
    return Outcome(class_id=name, outcome="lost", seats=seats, reason=lost[name])
