"""From a result to what each applicant is told: exactly one outcome per application and class asked for. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.lottery.allocation import ClassRule, Rules, allocate
from services.lottery.entries import Entry
from shared.contracts import Outcome, Result
from shared.ids import ApplicationId, ClassId, application_id_bytes

PassCodes = Callable[[ApplicationId], str]


def results(
    key: bytes,
    documents: Sequence[Mapping[str, Any]],
    entries: Sequence[Entry],
    classes: Sequence[ClassRule],
    rules: Rules,
    pass_codes: PassCodes,
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
        winner = any(outcome.outcome == "won" for outcome in outcomes)
        told.append(
            Result(
                application_id=document["_id"],
                token=document["token"],
                pass_code=pass_codes(document["_id"]) if winner else None,
                outcomes=tuple(outcomes),
            )
        )
    return told


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
