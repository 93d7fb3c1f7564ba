"""Judge scans. Pure, and the same in the browser (`services/lottery/web/src/reception/attendance.ts`).

Every device judges with what it has seen; when devices meet, all scans of a place are judged again, in the order in
which they happened. So the answer depends on the set of scans and on nothing else: not on who met whom first, nor on
what was sent twice. No scan is dropped; one that admits nobody is kept with the reason (`docs/protocols.md` §2,
"Attendance").
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Literal

Fault = Literal["forged", "unknown"]
Holding = Literal["held", "waiting", "offered", "gone"]


class Code(StrEnum):
    """The answer to one scan."""

    ADMITTED = "admitted"
    AGAIN = "again"
    """Everybody of this place is in already."""
    MORE = "more"
    """More people than the place has left; those it has are counted."""
    CONFLICT = "conflict"
    """Let in by a device that did not know yet that the place had been given up; counted, for they are in."""
    EARLY = "early"
    OVER = "over"
    OTHER_CLASS = "other-class"
    """A good pass, at the desk of another class."""
    NOT_HELD = "not-held"
    """Waits for a place, or has not accepted the offered one."""
    GONE = "gone"
    """The place was given up or released to the waiting list."""
    UNKNOWN = "unknown"
    """No such place in this campaign."""
    FORGED = "forged"
    """The pass was not signed with the lottery's key, or for another campaign."""
    UNDONE = "undone"
    """Taken back at the desk."""
    UNDO = "undo"


@dataclass(frozen=True)
class AdmissionWindow:
    """When one class takes people: from `opens` to `ends`."""

    opens: datetime
    ends: datetime


@dataclass(frozen=True)
class Place:
    """Place of one entry in one class.

    `held_since`: when it was passed on to the entry, None where the draw gave it; `gone_at`: since when it is given up,
    None where that is not known.
    """

    seats: int
    state: Holding = "held"
    gone_at: datetime | None = None
    held_since: datetime | None = None


@dataclass(frozen=True)
class Scan:
    """One reading at a desk. `people` came; `undoes`: the id of the scan that it takes back.

    `fault`: what the reading itself showed, before any place was looked for.
    """

    id: str
    device: str
    at: datetime
    class_id: str
    people: int = 1
    desk: str | None = None
    """The class that the desk served; None for all."""
    undoes: str | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class Verdict:
    """`counted`: people let in by this scan; `first`: the id of the scan that let somebody of this place in before."""

    code: Code
    counted: int = 0
    first: str | None = None


def judge(place: Place | None, window: AdmissionWindow, scans: Iterable[Scan]) -> dict[str, Verdict]:
    """Return the verdict on every scan of one place, by scan id. A scan that was sent twice counts as one."""
    known = {scan.id: scan for scan in scans}
    taken_back = {scan.undoes for scan in known.values() if scan.undoes is not None}
    verdicts: dict[str, Verdict] = {}
    inside, first = 0, None
    for scan in sorted(known.values(), key=_happened):
        refusal = _refusal(place, window, scan, scan.id in taken_back)
        if refusal is not None or place is None:
            verdicts[scan.id] = Verdict(refusal or Code.UNKNOWN)
            continue
        verdicts[scan.id] = _let_in(place, scan.people, inside, first)
        first = first or scan.id
        inside += verdicts[scan.id].counted
    return verdicts


def people_in(verdicts: Mapping[str, Verdict]) -> int:
    """Count the people of one place who were admitted, from the verdicts on its scans."""
    return sum(verdict.counted for verdict in verdicts.values())


@dataclass(frozen=True)
class Count:
    """One class: `seats` of places that are held, people in, and places by how many of theirs came."""

    places: int = 0
    seats: int = 0
    people: int = 0
    complete: int = 0
    partial: int = 0

    @property
    def absent(self) -> int:
        """Places of which nobody came."""
        return self.places - self.complete - self.partial

    def with_place(self, place: Place, inside: int) -> "Count":
        """Return the counts with one place added. A place that is not held adds only the people who were admitted."""
        held = int(place.state == "held")
        complete = int(held and inside >= place.seats)
        return Count(
            self.places + held,
            self.seats + held * place.seats,
            self.people + inside,
            self.complete + complete,
            self.partial + int(bool(held) and 0 < inside < place.seats),
        )


def group_by_place(scans: Iterable[tuple[str, Scan]]) -> dict[str, Sequence[Scan]]:
    """Scans grouped by the place they speak of."""
    ordered = sorted(scans, key=lambda pair: pair[0])
    return {place: [scan for _, scan in group] for place, group in groupby(ordered, key=lambda pair: pair[0])}


def _happened(scan: Scan) -> tuple[datetime, str]:
    return scan.at, scan.id


def _refusal(place: Place | None, window: AdmissionWindow, scan: Scan, taken_back: bool) -> Code | None:  # noqa: FBT001
    """Return the reason why this scan admits no person, or None if it may admit people."""
    reasons = (
        (scan.undoes is not None, Code.UNDO),
        (taken_back, Code.UNDONE),
        (scan.fault == "forged", Code.FORGED),
        (scan.fault is not None or place is None, Code.UNKNOWN),
        (place is not None and not _held_yet(place, scan.at), Code.NOT_HELD),
        (place is not None and _given_up(place, scan.at), Code.GONE),
        (scan.desk not in {None, scan.class_id}, Code.OTHER_CLASS),
        (scan.at < window.opens, Code.EARLY),
        (scan.at > window.ends, Code.OVER),
    )
    return next((code for holds, code in reasons if holds), None)


def _held_yet(place: Place, at: datetime) -> bool:
    return place.state not in {"waiting", "offered"} and (place.held_since is None or at >= place.held_since)


def _given_up(place: Place, at: datetime) -> bool:
    return place.state == "gone" and (place.gone_at is None or at >= place.gone_at)


def _let_in(place: Place, people: int, inside: int, first: str | None) -> Verdict:
    left = place.seats - inside
    if left == 0:
        return Verdict(Code.AGAIN, 0, first)
    if people > left:
        return Verdict(Code.MORE, left, first)
    return Verdict(Code.CONFLICT if place.state == "gone" else Code.ADMITTED, people, first)
