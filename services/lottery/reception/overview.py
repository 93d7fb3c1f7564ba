"""Overview of reception for the person in charge: counts by class, devices, and conflicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lottery.reception.noshows import count_attendance
from services.lottery.reception.records import Device
from services.lottery.reception.repository import ReceptionRepository
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
        self._reception = ReceptionRepository(store)

    async def of(self, campaign: Campaign, now: datetime) -> Attendance:
        """Return the attendance of a campaign at `now`."""
        lines = await self._reception.lines(campaign.id)
        pairs = await self._reception.scans_of_places(campaign.id)
        closings = await self._reception.closings(campaign.id)
        classes = []
        for event_class in campaign.classes:
            own = [line for line in lines if line.class_id == event_class.id]
            own_scans = [pair for pair in pairs if pair[1].class_id == event_class.id]
            count = count_attendance(campaign, own, own_scans).count
            due, closing = no_shows_at(campaign, event_class), closings.get(event_class.id)
            is_due = closing is None and now >= due
            waits = await self._reception.silent_devices(campaign.id, due) if is_due else []
            counted, released = (closing.no_shows, len(closing.released)) if closing else (None, 0)
            classes.append(ClassAttendance(event_class.id, count, due, counted, released, waits))
        verdicts = judge_all(campaign, lines, pairs)
        return Attendance(
            classes,
            await self._reception.devices(campaign.id),
            find_conflicts(verdicts, [scan for _, scan in pairs]),
        )


def find_conflicts(verdicts: Mapping[str, Verdict], scans: Sequence[Scan]) -> list[Conflict]:
    """Return scans of passes that came twice, of too many people, or of places that are gone, by time."""
    known = {scan.id: scan for scan in scans}
    conflicts = []
    for scan in sorted(known.values(), key=lambda scan: (scan.at, scan.id)):
        verdict = verdicts[scan.id]
        first = known.get(verdict.first or "")
        if verdict.code in _WORTH_A_LOOK:
            name = first.device if first is not None else None
            conflicts.append(Conflict(scan.id, scan.class_id, verdict.code, scan.device, scan.at, name))
    return conflicts
