"""Rules for scans. Pure, and the same in the browser (`services/lottery/web/src/reception/attendance.ts`).

A device judges with the scans that it has. After a synchronisation it judges all scans of a place again, by time of
scan. So a verdict depends on the set of scans only, not on the order of synchronisation or on repetition. No scan is
dropped: a scan that admits no person is stored with the reason (`docs/protocols.md` §2, "Attendance").
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Literal

Fault = Literal["forged", "unknown", "wrong-code", "unproved"]
Holding = Literal["held", "waiting", "offered", "gone"]


class Code(StrEnum):
    """The answer to one scan."""

    ADMITTED = "admitted"
    AGAIN = "again"
    """All people of this place were admitted before."""
    MORE = "more"
    """More people than the place has seats left; only the seats left are counted."""
    CONFLICT = "conflict"
    """Admitted by a device that did not know yet that the place was gone; counted, because the people are inside."""
    EARLY = "early"
    OVER = "over"
    OTHER_CLASS = "other-class"
    """A valid pass, read by a device that serves another class."""
    NOT_HELD = "not-held"
    """The entry waits for a place, or has not accepted the offered one."""
    GONE = "gone"
    """The place was given up or released to the waiting list."""
    UNKNOWN = "unknown"
    """No such place in this campaign."""
    WRONG_CODE = "wrong-code"
    """The code that was typed is not that of this entry."""
    COMPARE = "compare"
    """A bare receipt number: compare the name on mail or card with an identity paper, or ask for the code."""
    FORGED = "forged"
    """The pass was not signed with the lottery's key, or for another campaign."""
    UNDONE = "undone"
    """Taken back by a later scan."""
    UNDO = "undo"


@dataclass(frozen=True)
class AdmissionWindow:
    """Time in which reception admits people to one class: from `opens` to `ends`."""

    opens: datetime
    ends: datetime


@dataclass(frozen=True)
class Place:
    """Place of one entry in one class.

    `held_since`: time at which the entry got it from the waiting list, None if the draw gave it. `gone_at`: time since
    which it is given up or released, None if that is not known.
    """

    seats: int
    state: Holding = "held"
    gone_at: datetime | None = None
    held_since: datetime | None = None


@dataclass(frozen=True)
class Scan:
    """Reading of a pass, of entry number and code, or of a receipt number.

    `people`: number admitted; `undoes`: id of the scan that it takes back. `fault`: defect of the reading itself;
    `unproved` for a bare receipt number.
    """

    id: str
    device: str
    at: datetime
    class_id: str
    people: int = 1
    served_class: str | None = None
    """Class that the device served; None for all."""
    undoes: str | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class Verdict:
    """Answer to a scan. `counted`: people admitted by it; `first`: id of the first scan that admitted people before."""

    code: Code
    counted: int = 0
    first: str | None = None


def judge(place: Place | None, window: AdmissionWindow, scans: Iterable[Scan]) -> dict[str, Verdict]:
    """Return the verdict on every scan of one place, by scan id. Repetitions of a scan count as one."""
    known = {scan.id: scan for scan in scans}
    taken_back = {scan.undoes for scan in known.values() if scan.undoes is not None}
    verdicts: dict[str, Verdict] = {}
    admitted, first = 0, None
    for scan in sorted(known.values(), key=_by_time):
        refusal = _refusal(place, window, scan, scan.id in taken_back)
        if refusal is not None or place is None:
            verdicts[scan.id] = Verdict(refusal or Code.UNKNOWN)
            continue
        verdicts[scan.id] = _admit(place, scan.people, admitted, first)
        first = first or scan.id
        admitted += verdicts[scan.id].counted
    return verdicts


def people_in(verdicts: Mapping[str, Verdict]) -> int:
    """Return the number of people of the place who were admitted."""
    return sum(verdict.counted for verdict in verdicts.values())


@dataclass(frozen=True)
class Count:
    """Counts of one class: held places and their seats, people admitted, complete and partly admitted places."""

    places: int = 0
    seats: int = 0
    people: int = 0
    complete: int = 0
    partial: int = 0

    @property
    def absent(self) -> int:
        """Number of held places of which no person was admitted."""
        return self.places - self.complete - self.partial

    def with_place(self, place: Place, admitted: int) -> "Count":
        """Return the counts with one more place. A place that is not held adds only the people who were admitted."""
        held = int(place.state == "held")
        complete = int(held and admitted >= place.seats)
        return Count(
            self.places + held,
            self.seats + held * place.seats,
            self.people + admitted,
            self.complete + complete,
            self.partial + int(bool(held) and 0 < admitted < place.seats),
        )


def group_by_place(scans: Iterable[tuple[str, Scan]]) -> dict[str, Sequence[Scan]]:
    """Group scans by place id."""
    ordered = sorted(scans, key=lambda pair: pair[0])
    return {place: [scan for _, scan in group] for place, group in groupby(ordered, key=lambda pair: pair[0])}


def _by_time(scan: Scan) -> tuple[datetime, str]:
    return scan.at, scan.id


def _refusal(place: Place | None, window: AdmissionWindow, scan: Scan, taken_back: bool) -> Code | None:  # noqa: FBT001
    """Return the first reason for which this scan admits no person; None if there is none."""
    reasons = (
        (scan.undoes is not None, Code.UNDO),
        (taken_back, Code.UNDONE),
        (scan.fault == "forged", Code.FORGED),
        (scan.fault == "unknown" or place is None, Code.UNKNOWN),
        (scan.fault == "wrong-code", Code.WRONG_CODE),
        (scan.fault == "unproved", Code.COMPARE),
        (place is not None and not _held_yet(place, scan.at), Code.NOT_HELD),
        (place is not None and _given_up(place, scan.at), Code.GONE),
        (scan.served_class not in {None, scan.class_id}, Code.OTHER_CLASS),
        (scan.at < window.opens, Code.EARLY),
        (scan.at > window.ends, Code.OVER),
    )
    return next((code for holds, code in reasons if holds), None)


def _held_yet(place: Place, at: datetime) -> bool:
    return place.state not in {"waiting", "offered"} and (place.held_since is None or at >= place.held_since)


def _given_up(place: Place, at: datetime) -> bool:
    return place.state == "gone" and (place.gone_at is None or at >= place.gone_at)


def _admit(place: Place, people: int, admitted: int, first: str | None) -> Verdict:
    left = place.seats - admitted
    if left == 0:
        return Verdict(Code.AGAIN, 0, first)
    if people > left:
        return Verdict(Code.MORE, left, first)
    return Verdict(Code.CONFLICT if place.state == "gone" else Code.ADMITTED, people, first)
