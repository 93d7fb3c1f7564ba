"""What reception adds up to, for the people who run it: counts by class, devices, and what does not fit together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lottery.reception import repository as ledger
from services.lottery.reception.desk import judged
from services.lottery.reception.noshows import attended
from services.lottery.reception.rules.attendance import Code, Count, Scan, Verdict
from services.lottery.reception.rules.roster import no_shows_at
from shared.campaign import Campaign
from shared.ids import ClassId
from shared.storage import Store

_WORTH_A_LOOK: Final = frozenset({Code.AGAIN, Code.MORE, Code.CONFLICT, Code.GONE})


@dataclass(frozen=True)
class ClassLine:
    """One class. `no_shows`: as counted at `no_shows_at`, None before; then `waits_for` may name silent devices."""

    id: ClassId
    count: Count
    no_shows_at: datetime
    no_shows: int | None
    released: int
    waits_for: Sequence[str]


@dataclass(frozen=True)
class Device:
    name: str
    seen_at: datetime
    set_aside_by: str | None


@dataclass(frozen=True)
class Conflict:
    """A scan that somebody should look at. `first_device`: which one had let somebody of the place in before."""

    id: str
    class_id: str
    code: Code
    device: str
    at: datetime
    first_device: str | None


@dataclass(frozen=True)
class Attendance:
    classes: Sequence[ClassLine]
    devices: Sequence[Device]
    conflicts: Sequence[Conflict]


class Overview:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, campaign: Campaign, now: datetime) -> Attendance:
        lines = await ledger.lines(self._store, campaign.id)
        pairs = await ledger.scans_of(self._store, campaign.id)
        closings = await ledger.closings(self._store, campaign.id)
        classes = []
        for each in campaign.classes:
            own = [line for line in lines if line.class_id == each.id]
            count = attended(campaign, own, [pair for pair in pairs if pair[1].class_id == each.id]).count
            due, closing = no_shows_at(campaign, each), closings.get(each.id)
            waits = await ledger.silent(self._store, campaign.id, due) if closing is None and now >= due else []
            counted, released = (closing["no_shows"], len(closing["released"])) if closing else (None, 0)
            classes.append(ClassLine(each.id, count, due, counted, released, waits))
        told = judged(campaign, lines, pairs)
        return Attendance(classes, await self._devices(campaign), conflicts(told, [scan for _, scan in pairs]))

    async def _devices(self, campaign: Campaign) -> list[Device]:
        found = self._store.db[ledger.DEVICES].find({"campaign": campaign.id}).sort("device", 1)
        return [Device(each["device"], each["seen_at"], each["set_aside_by"]) async for each in found]


def conflicts(told: Mapping[str, Verdict], scans: Sequence[Scan]) -> list[Conflict]:
    """A pass that came twice, more people than places, a place that was given up; in order of time."""
    known = {scan.id: scan for scan in scans}
    found = []
    for scan in sorted(known.values(), key=lambda each: (each.at, each.id)):
        verdict = told[scan.id]
        first = known.get(verdict.first or "")
        if verdict.code in _WORTH_A_LOOK:
            name = first.device if first is not None else None
            found.append(Conflict(scan.id, scan.class_id, verdict.code, scan.device, scan.at, name))
    return found
