"""What reception keeps: scans in the order in which the office heard of them, devices, and what was counted when.

A campaign's scans are numbered without a gap (`seq`), so that a device asks for "what came after" and misses nothing.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.places import repository as places
from services.lottery.promotion.states import Move
from services.lottery.reception.rules.attendance import Count, Scan
from services.lottery.reception.rules.roster import Line, line_of
from shared.errors import KujiError
from shared.ids import CampaignId, ClassId, Receipt
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork

SCANS, DESKS, DEVICES, CLOSINGS = "scans", "desks", "devices", "closings"
PERSONAL: Final = (SCANS, DEVICES, CLOSINGS)
"""What an erasure removes; `desks` holds a number for each campaign and nothing else."""


_CAME_BY: Final = (Move.PROMOTED, Move.ACCEPTED, Move.CORRECTED)
"""The moves by which somebody comes to hold a place after the draw."""


class Erased(KujiError):  # noqa: N818  (says what is the case)
    """The campaign's data are erased, or are to be: devices wipe what they have."""


@dataclass(frozen=True)
class Kept:
    """A scan as the office has it. `place`: its place id, None where the reading led to none."""

    scan: Scan
    place: str | None
    by: str
    actor: str
    heard_at: datetime


def collections() -> list[Collection]:
    scan = {
        "bsonType": "object",
        "required": ["_id", "campaign", "seq", "device", "actor", "at", "heard_at", "class_id", "people", "by"],
        "properties": {
            "seq": {"bsonType": "int", "minimum": 1},
            "people": {"bsonType": "int", "minimum": 1, "maximum": 20},
            "by": {"enum": ["pass", "receipt"]},
            "fault": {"enum": ["forged", "unknown", None]},
        },
    }
    numbered, by_place = Index((("campaign", 1), ("seq", 1)), unique=True), Index((("campaign", 1), ("place", 1)))
    return [
        Collection(SCANS, scan, (numbered, by_place)),
        Collection(DESKS),
        Collection(DEVICES, None, (Index("campaign"),)),
        Collection(CLOSINGS, None, (Index("campaign"),)),
    ]


async def ensure_desks(store: Store, campaigns: Iterable[CampaignId]) -> None:
    """At every start: two who come first at once must not both make the same desk."""
    for campaign in campaigns:
        with contextlib.suppress(DuplicateKeyError):
            await store.db[DESKS].update_one({"_id": campaign}, {"$setOnInsert": {"seq": 0}}, upsert=True)


async def add(uow: UnitOfWork, campaign: CampaignId, kept: Sequence[Kept]) -> None:
    """Number and keep what is not known yet; a scan that was sent before stays as it was. Raises Erased."""
    ids = [each.scan.id for each in kept]
    cursor = uow.db[SCANS].find({"_id": {"$in": ids}}, {"_id": 1}, session=uow.session)
    known = {document["_id"] async for document in cursor}
    new = list({each.scan.id: each for each in kept if each.scan.id not in known}.values())
    if not new:
        return
    await _pass_gate(uow, campaign)
    desk = await uow.db[DESKS].find_one_and_update(
        {"_id": campaign}, {"$inc": {"seq": len(new)}}, upsert=True, session=uow.session
    )
    before = desk["seq"] if desk else 0
    documents = [_document(campaign, before + number, each) for number, each in enumerate(new, start=1)]
    await uow.db[SCANS].insert_many(documents, session=uow.session)


async def _pass_gate(uow: UnitOfWork, campaign: CampaignId) -> None:
    """An erasure and a scan of the same moment never both succeed: both write to the draw's document."""
    if not await FollowUpRepository(uow).count_scan(campaign):
        raise Erased(campaign)


async def since(store: Store, campaign: CampaignId, cursor: int, limit: int) -> list[dict[str, Any]]:
    """Scans numbered after `cursor`, in order."""
    after = {"campaign": campaign, "seq": {"$gt": cursor}}
    return await store.db[SCANS].find(after).sort("seq", 1).limit(limit).to_list(None)


async def scans_of(at: Store | UnitOfWork, campaign: CampaignId, **query: Any) -> list[tuple[str, Scan]]:
    """Pairs of place id and scan, of scans that led to a place."""
    session = at.session if isinstance(at, UnitOfWork) else None
    wanted = {"campaign": campaign, "place": {"$ne": None}, **query}
    return [(each["place"], scan_of(each)) async for each in at.db[SCANS].find(wanted, session=session)]


async def seen(uow: UnitOfWork, campaign: CampaignId, device: str, now: datetime) -> None:
    """From now on: the device has told everything that it had until now."""
    name = f"{campaign}/{device}"
    line = {"campaign": campaign, "device": device, "seen_at": now, "set_aside_by": None}
    await uow.db[DEVICES].update_one({"_id": name}, {"$set": line}, upsert=True, session=uow.session)


async def lines(at: Store | UnitOfWork, campaign: CampaignId, **query: Any) -> list[Line]:
    """Who holds a place, waits for one or gave one up, in the draw that counts.

    What a closing released is given up since then, also while the waiting list has not heard of it yet.
    """
    session = at.session if isinstance(at, UnitOfWork) else None
    released = {
        place: closing["at"]
        async for closing in at.db[CLOSINGS].find({"campaign": campaign}, session=session)
        for place in closing["released"]
    }
    draw = await DrawRepository(at).find(campaign)
    draw_id = None if draw is None else draw.id
    came_by = {"draw": draw_id, "event.event": {"$in": _CAME_BY}}
    history = at.db[places.HISTORY].find(came_by, {"event": 1}, session=session).sort("seq", 1)
    passed_on = {
        f"{line['event']['entry']}/{line['event']['class']}": datetime.fromisoformat(line["event"]["at"])
        async for line in history
    }
    found = at.db[places.PLACES].find({"draw": draw_id, **query}, session=session)
    return [line_of(document, released, passed_on) async for document in found]


async def pass_desk(uow: UnitOfWork, campaign: CampaignId) -> None:
    """Scans and a closing of the same moment must not miss each other: both write here."""
    await uow.db[DESKS].update_one({"_id": campaign}, {"$inc": {"closings": 1}}, session=uow.session)


async def silent(store: Store, campaign: CampaignId, due: datetime) -> list[str]:
    """Devices that have not told yet what they had at that time, and were not set aside."""
    waited = {"campaign": campaign, "seen_at": {"$lt": due}, "set_aside_by": None}
    return [each["device"] async for each in store.db[DEVICES].find(waited).sort("device", 1)]


async def closings(store: Store, campaign: CampaignId) -> dict[str, dict[str, Any]]:
    """What was counted, by class."""
    found = store.db[CLOSINGS].find({"campaign": campaign})
    return {each["class_id"]: each async for each in found}


async def is_closed(uow: UnitOfWork, campaign: CampaignId, class_id: ClassId) -> bool:
    return await uow.db[CLOSINGS].find_one({"_id": f"{campaign}/{class_id}"}, session=uow.session) is not None


async def put_closing(
    uow: UnitOfWork, campaign: CampaignId, class_id: ClassId, at: datetime, count: Count, released: Sequence[str]
) -> None:
    """`released`: place ids that are given up from `at` on; `handed`: how many of them the waiting list knows of."""
    closing = {
        "_id": f"{campaign}/{class_id}",
        "campaign": campaign,
        "class_id": class_id,
        "at": at,
        "no_shows": count.absent,
        "people": count.people,
        "released": list(released),
        "handed": 0,
    }
    await uow.db[CLOSINGS].insert_one(closing, session=uow.session)


async def hand_over(uow: UnitOfWork, closing: str, start: int, end: int) -> bool:
    """Go on from `start` to `end`; False where another process was faster."""
    moved = await uow.db[CLOSINGS].update_one(
        {"_id": closing, "handed": start}, {"$set": {"handed": end}}, session=uow.session
    )
    return bool(moved.modified_count)


async def receipts_to_lines(
    uow: UnitOfWork, campaign: CampaignId, receipts: Iterable[Receipt]
) -> dict[tuple[Receipt, ClassId], Line]:
    found = await lines(uow, campaign, receipt={"$in": list(receipts)})
    return {(line.receipt, line.class_id): line for line in found}


def scan_of(document: Mapping[str, Any]) -> Scan:
    return Scan(
        id=document["_id"],
        device=document["device"],
        at=document["at"],
        class_id=document["class_id"],
        people=document["people"],
        desk=document["desk"],
        undoes=document["undoes"],
        fault=document["fault"],
    )


def _document(campaign: CampaignId, seq: int, kept: Kept) -> dict[str, Any]:
    scan = kept.scan
    return {
        "_id": scan.id,
        "campaign": campaign,
        "seq": seq,
        "place": kept.place,
        "device": scan.device,
        "actor": kept.actor,
        "at": scan.at,
        "heard_at": kept.heard_at,
        "class_id": scan.class_id,
        "people": scan.people,
        "desk": scan.desk,
        "undoes": scan.undoes,
        "fault": scan.fault,
        "by": kept.by,
    }
