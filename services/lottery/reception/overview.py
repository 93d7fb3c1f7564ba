"""Overview of reception for the person in charge: counts by class, devices, and conflicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lottery.reception import repository
from services.lottery.reception.noshows import count_attendance
from services.lottery.reception.records import Device
from services.lottery.reception.rules.attendance import Code, Count, Scan, Verdict
from services.lottery.reception.rules.roster import no_shows_at
from services.lottery.reception.service import judge_all
from shared.campaign import Campaign
from shared.ids import ClassId
from shared.storage import Store

_WORTH_A_LOOK: Final = frozenset({Code.AGAIN, Code.MORE, Code.CONFLICT, Code.GONE})


@dataclass(frozen=True)
class ClassAttendance:
    """One class. `no_shows`: as counted at `no_shows_at`, None before; then `waits_for` may name silent devices."""

    id: ClassId
    count: Count
    no_shows_at: datetime
    no_shows: int | None
    released: int
    waits_for: Sequence[str]


@dataclass(frozen=True)
class Conflict:
    """Scan that needs attention. `first_device`: device that admitted people of the place before."""

    id: str
    class_id: str
    code: Code
    device: str
    at: datetime
    first_device: str | None


@dataclass(frozen=True)
class Attendance:
    classes: Sequence[ClassAttendance]
    devices: Sequence[Device]
    conflicts: Sequence[Conflict]


class Overview:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, campaign: Campaign, now: datetime) -> Attendance:
        lines = await repository.lines(self._store, campaign.id)
        pairs = await repository.scans_of(self._store, campaign.id)
        closings = await repository.closings(self._store, campaign.id)
        classes = []
        for each in campaign.classes:
            own = [line for line in lines if line.class_id == each.id]
            count = count_attendance(campaign, own, [pair for pair in pairs if pair[1].class_id == each.id]).count
            due, closing = no_shows_at(campaign, each), closings.get(each.id)
            waits = (
                await repository.silent_devices(self._store, campaign.id, due) if closing is None and now >= due else []
            )
            counted, released = (closing["no_shows"], len(closing["released"])) if closing else (None, 0)
            classes.append(ClassAttendance(each.id, count, due, counted, released, waits))
        verdicts = judge_all(campaign, lines, pairs)
        return Attendance(
            classes,
            await repository.devices(self._store, campaign.id),
            find_conflicts(verdicts, [scan for _, scan in pairs]),
        )


def find_conflicts(verdicts: Mapping[str, Verdict], scans: Sequence[Scan]) -> list[Conflict]:
    """Return scans of passes that came twice, of too many people, or of places that are gone, by time."""
    known = {scan.id: scan for scan in scans}
    found = []
    for scan in sorted(known.values(), key=lambda each: (each.at, each.id)):
        verdict = verdicts[scan.id]
        first = known.get(verdict.first or "")
        if verdict.code in _WORTH_A_LOOK:
            name = first.device if first is not None else None
            found.append(Conflict(scan.id, scan.class_id, verdict.code, scan.device, scan.at, name))
    return found
