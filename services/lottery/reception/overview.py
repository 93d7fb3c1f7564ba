"""What reception adds up to, for the people who run it: counts by class, devices, and what does not fit together."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.lottery.reception import ledger
from services.lottery.reception.attendance import Code, Scan, Verdict
from services.lottery.reception.desk import judged
from services.lottery.reception.noshows import attended
from services.lottery.reception.places import Line, no_shows_at
from shared.campaign import Campaign, EventClass
from shared.storage import Store

_WORTH_A_LOOK: Final = frozenset({Code.AGAIN, Code.MORE, Code.CONFLICT, Code.GONE})


class Overview:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, campaign: Campaign) -> dict[str, Any]:
        lines = await ledger.lines(self._store, campaign.id)
        pairs = await ledger.scans_of(self._store, campaign.id)
        closings = await ledger.closings(self._store, campaign.id)
        classes = [await self._class(campaign, each, lines, pairs, closings.get(each.id)) for each in campaign.classes]
        devices = self._store.db[ledger.DEVICES].find({"campaign": campaign.id}).sort("device", 1)
        return {
            "v": 1,
            "classes": classes,
            "devices": [_device(each) async for each in devices],
            "conflicts": conflicts(judged(campaign, lines, pairs), pairs),
        }

    async def _class(
        self,
        campaign: Campaign,
        event_class: EventClass,
        lines: Sequence[Line],
        pairs: Sequence[tuple[str, Scan]],
        closing: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        own = [line for line in lines if line.class_id == event_class.id]
        count = attended(campaign, own, [pair for pair in pairs if pair[1].class_id == event_class.id]).count
        due = no_shows_at(campaign, event_class)
        waits = [] if closing is not None else await ledger.silent(self._store, campaign.id, due)
        return {
            "id": event_class.id,
            "places": count.places,
            "seats": count.seats,
            "people": count.people,
            "complete": count.complete,
            "partial": count.partial,
            "absent": count.absent,
            "no_shows_at": due.isoformat(),
            "no_shows": closing["no_shows"] if closing is not None else None,
            "released": len(closing["released"]) if closing is not None else 0,
            "waits_for_devices": waits,
        }


def conflicts(told: Mapping[str, Verdict], pairs: Sequence[tuple[str, Scan]]) -> list[dict[str, Any]]:
    """Scans that somebody should look at: a pass that came twice, more people than places, a place given up."""
    scans = {scan.id: scan for _, scan in pairs}
    return [
        {
            "id": name,
            "class_id": scans[name].class_id,
            "code": verdict.code,
            "device": scans[name].device,
            "at": scans[name].at.isoformat(),
            "first_device": scans[verdict.first].device if verdict.first is not None else None,
        }
        for name, verdict in sorted(told.items(), key=lambda pair: (scans[pair[0]].at, pair[0]))
        if verdict.code in _WORTH_A_LOOK
    ]


def _device(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "device": document["device"],
        "seen_at": document["seen_at"].isoformat(),
        "set_aside_by": document["set_aside_by"],
    }
