"""Store scans in their order of arrival, devices, and the closings of classes.

The scans of a campaign are numbered without gaps (`seq`), so that a device can ask for all scans after a number.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.places.history_repository import HistoryRepository
from services.lottery.places.repository import PlaceRepository
from services.lottery.places.stored_place import StoredPlace
from services.lottery.promotion.place_id import PlaceId
from services.lottery.promotion.states import PlaceState
from services.lottery.reception.records import Device, StoredScan, scan_document, scan_from_document
from services.lottery.reception.rules.attendance import Count, Holding, Place, Scan
from services.lottery.reception.rules.roster import RosterLine
from shared.errors import KujiError
from shared.ids import CampaignId, ClassId, Receipt
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork

SCANS, COUNTERS, DEVICES, CLOSINGS = "scans", "scan_counters", "devices", "closings"
PERSONAL: Final = (SCANS, DEVICES, CLOSINGS)
"""Collections that an erasure empties. `scan_counters` has one number for each campaign and nothing else."""

_HOLDINGS: Final[Mapping[PlaceState, Holding]] = {
    PlaceState.HELD: "held",
    PlaceState.WAITING: "waiting",
    PlaceState.OFFERED: "offered",
    PlaceState.GONE: "gone",
}


class ErasedError(KujiError):
    """Raised when the campaign's data are erased or will be: devices delete their copies."""


def collections() -> list[Collection]:
    """Return the collections of reception, with indexes."""
    scan = {
        "bsonType": "object",
        "required": ["_id", "campaign", "seq", "device", "actor", "at", "received_at", "class_id", "people", "by"],
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
        Collection(COUNTERS),
        Collection(DEVICES, None, (Index("campaign"),)),
        Collection(CLOSINGS, None, (Index("campaign"),)),
    ]


async def ensure_counters(store: Store, campaigns: Iterable[CampaignId]) -> None:
    """Create the scan counters. Called at every start, also by several processes."""
    for campaign in campaigns:
        with contextlib.suppress(DuplicateKeyError):
            await store.db[COUNTERS].update_one({"_id": campaign}, {"$setOnInsert": {"seq": 0}}, upsert=True)


async def add_scans(uow: UnitOfWork, campaign: CampaignId, kept: Sequence[StoredScan]) -> None:
    """Number and store new scans; a scan that was sent before stays unchanged. Raises ErasedError."""
    ids = [each.scan.id for each in kept]
    cursor = uow.db[SCANS].find({"_id": {"$in": ids}}, {"_id": 1}, session=uow.session)
    known = {document["_id"] async for document in cursor}
    new = list({each.scan.id: each for each in kept if each.scan.id not in known}.values())
    if not new:
        return
    await _pass_gate(uow, campaign)
    desk = await uow.db[COUNTERS].find_one_and_update(
        {"_id": campaign}, {"$inc": {"seq": len(new)}}, upsert=True, session=uow.session
    )
    before = desk["seq"] if desk else 0
    documents = [dict(scan_document(campaign, before + number, each)) for number, each in enumerate(new, start=1)]
    await uow.db[SCANS].insert_many(documents, session=uow.session)


async def _pass_gate(uow: UnitOfWork, campaign: CampaignId) -> None:
    """Write to the draw's document, so that an erasure and a scan never both succeed. Raises ErasedError."""
    if not await FollowUpRepository(uow).count_scan(campaign):
        raise ErasedError(campaign)


async def scans_after(store: Store, campaign: CampaignId, cursor: int, limit: int) -> list[dict[str, Any]]:
    """Return the scans numbered after `cursor`, in order."""
    after = {"campaign": campaign, "seq": {"$gt": cursor}}
    return await store.db[SCANS].find(after).sort("seq", 1).limit(limit).to_list(None)


async def scans_of(at: Store | UnitOfWork, campaign: CampaignId, **query: Any) -> list[tuple[str, Scan]]:
    """Return pairs of place id and scan, of scans that named a place."""
    session = at.session if isinstance(at, UnitOfWork) else None
    wanted = {"campaign": campaign, "place": {"$ne": None}, **query}
    return [(each["place"], scan_from_document(each)) async for each in at.db[SCANS].find(wanted, session=session)]


async def note_device(uow: UnitOfWork, campaign: CampaignId, device: str, now: datetime) -> None:
    """Note that a device has sent everything that it had until now."""
    name = f"{campaign}/{device}"
    line = {"campaign": campaign, "device": device, "seen_at": now, "set_aside_by": None}
    await uow.db[DEVICES].update_one({"_id": name}, {"$set": line}, upsert=True, session=uow.session)


async def lines(
    at: Store | UnitOfWork,
    campaign: CampaignId,
    *,
    entries: Sequence[str] | None = None,
    receipts: Sequence[Receipt] | None = None,
) -> list[RosterLine]:
    """Return the roster of the present draw: all of it, or the lines of these entries (hex) or receipt numbers.

    A place that a closing released is gone since then, also before the waiting list processed the release.
    """
    draw = await DrawRepository(at).find(campaign)
    if draw is None:
        return []
    released, held_since = await _released(at, campaign), await HistoryRepository(at).held_since(draw.id)
    places = PlaceRepository(at)
    if entries is not None:
        found = await places.of_entries(draw.id, entries)
    else:
        found = await (places.of_draw(draw.id) if receipts is None else places.of_receipts(draw.id, receipts))
    return [_line(stored, released, held_since) for stored in found]


async def _released(at: Store | UnitOfWork, campaign: CampaignId) -> Mapping[str, datetime]:
    session = at.session if isinstance(at, UnitOfWork) else None
    closings = at.db[CLOSINGS].find({"campaign": campaign}, session=session)
    return {place: closing["at"] async for closing in closings for place in closing["released"]}


def _line(stored: StoredPlace, released: Mapping[str, datetime], held_since: Mapping[PlaceId, datetime]) -> RosterLine:
    """Make a line of the roster. `released`: time of release by place id."""
    state: Holding = "gone" if stored.id in released else _HOLDINGS[stored.place.state]
    gone_at = released.get(stored.id, stored.gone_at)
    place = Place(stored.place.seats, state, gone_at, held_since.get(stored.id))
    return RosterLine(stored.application_id, stored.receipt, stored.class_id, place)


async def touch_counter(uow: UnitOfWork, campaign: CampaignId) -> None:
    """Write to the scan counter, so that a closing and scans at the same time see each other."""
    await uow.db[COUNTERS].update_one({"_id": campaign}, {"$inc": {"closings": 1}}, session=uow.session)


async def silent_devices(store: Store, campaign: CampaignId, due: datetime) -> list[str]:
    """Return the devices that have not sent their scans of that time and were not set aside."""
    waited = {"campaign": campaign, "seen_at": {"$lt": due}, "set_aside_by": None}
    return [each["device"] async for each in store.db[DEVICES].find(waited).sort("device", 1)]


async def closings(store: Store, campaign: CampaignId) -> dict[str, dict[str, Any]]:
    """Return the closings by class."""
    found = store.db[CLOSINGS].find({"campaign": campaign})
    return {each["class_id"]: each async for each in found}


async def is_closed(uow: UnitOfWork, campaign: CampaignId, class_id: ClassId) -> bool:
    return await uow.db[CLOSINGS].find_one({"_id": f"{campaign}/{class_id}"}, session=uow.session) is not None


async def put_closing(
    uow: UnitOfWork, campaign: CampaignId, class_id: ClassId, at: datetime, count: Count, released: Sequence[str]
) -> None:
    """Store a closing. `released`: place ids that are gone from `at` on. Its field `handed` counts those processed."""
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


async def advance_release(uow: UnitOfWork, closing: str, start: int, end: int) -> bool:
    """Advance `handed` from `start` to `end`. Return False if another process did so before."""
    moved = await uow.db[CLOSINGS].update_one(
        {"_id": closing, "handed": start}, {"$set": {"handed": end}}, session=uow.session
    )
    return bool(moved.modified_count)


async def receipts_to_lines(
    uow: UnitOfWork, campaign: CampaignId, receipts: Iterable[Receipt]
) -> dict[tuple[Receipt, ClassId], RosterLine]:
    found = await lines(uow, campaign, receipts=list(receipts))
    return {(line.receipt, line.class_id): line for line in found}


async def scans_with_ids(store: Store, ids: Sequence[str]) -> tuple[list[str], list[Scan]]:
    """Return the places that these scans name, and the scans that name no place."""
    documents = await store.db[SCANS].find({"_id": {"$in": list(ids)}}).to_list(None)
    places = sorted({document["place"] for document in documents if document["place"] is not None})
    return places, [scan_from_document(document) for document in documents if document["place"] is None]


async def set_aside(store: Store, campaign: CampaignId, device: str, actor: str) -> bool:
    """Stop waiting for a device. Return False if it is unknown."""
    change = {"$set": {"set_aside_by": actor}}
    changed = await store.db[DEVICES].update_one({"_id": f"{campaign}/{device}"}, change)
    return bool(changed.matched_count)


async def devices(store: Store, campaign: CampaignId) -> list[Device]:
    """Return all devices of a campaign by name."""
    found = store.db[DEVICES].find({"campaign": campaign}).sort("device", 1)
    return [Device(each["device"], each["seen_at"], each["set_aside_by"]) async for each in found]
