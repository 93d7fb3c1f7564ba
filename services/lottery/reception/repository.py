"""Store scans in their order of arrival, devices, and the closings of classes.

The scans of a campaign are numbered without gaps (`seq`), so that a device can ask for all scans after a number.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.places.history_repository import HistoryRepository
from services.lottery.places.repository import PlaceRepository
from services.lottery.places.stored_place import StoredPlace
from services.lottery.promotion.place_id import PlaceId
from services.lottery.promotion.states import PlaceState
from services.lottery.reception.records import (
    Closing,
    Device,
    NumberedScan,
    StoredScan,
    numbered_scan,
    scan_document,
    scan_from_document,
)
from services.lottery.reception.rules.attendance import Holding, Place, Scan
from services.lottery.reception.rules.roster import RosterLine
from shared.codes import EntryId, ProofDigest
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
            "by": {"enum": ["pass", "code", "name", "receipt"]},
            "fault": {"enum": ["forged", "unknown", "wrong-code", "unproved", None]},
        },
    }
    numbered, by_place = Index((("campaign", 1), ("seq", 1)), unique=True), Index((("campaign", 1), ("place", 1)))
    return [
        Collection(SCANS, scan, (numbered, by_place)),
        Collection(COUNTERS),
        Collection(DEVICES, None, (Index("campaign"),)),
        Collection(CLOSINGS, None, (Index("campaign"),)),
    ]


class ReceptionRepository:
    """Reads and writes scans, devices and closings, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._at = at
        self._session = at.session if isinstance(at, UnitOfWork) else None
        self._scans, self._counters = at.db[SCANS], at.db[COUNTERS]
        self._devices, self._closings = at.db[DEVICES], at.db[CLOSINGS]

    async def ensure_counters(self, campaigns: Iterable[CampaignId]) -> None:
        """Create the scan counters. Called at every start, also by several processes."""
        for campaign in campaigns:
            with contextlib.suppress(DuplicateKeyError):
                await self._counters.update_one({"_id": campaign}, {"$setOnInsert": {"seq": 0}}, upsert=True)

    async def add_scans(self, campaign: CampaignId, stored: Sequence[StoredScan]) -> None:
        """Number and store new scans; a scan that was sent before stays unchanged. Raises ErasedError."""
        ids = [scan.scan.id for scan in stored]
        cursor = self._scans.find({"_id": {"$in": ids}}, {"_id": 1}, session=self._session)
        known = {document["_id"] async for document in cursor}
        new = list({scan.scan.id: scan for scan in stored if scan.scan.id not in known}.values())
        if not new:
            return
        await self._refuse_erased(campaign)
        counter = await self._counters.find_one_and_update(
            {"_id": campaign}, {"$inc": {"seq": len(new)}}, upsert=True, session=self._session
        )
        before = counter["seq"] if counter else 0
        documents = [dict(scan_document(campaign, seq, scan)) for seq, scan in enumerate(new, before + 1)]
        await self._scans.insert_many(documents, session=self._session)

    async def _refuse_erased(self, campaign: CampaignId) -> None:
        """Write to the draw's document, so that an erasure and a scan never both succeed. Raises ErasedError."""
        if not await FollowUpRepository(self._at).count_scan(campaign):
            raise ErasedError(campaign)

    async def scans_after(self, campaign: CampaignId, cursor: int, limit: int) -> list[NumberedScan]:
        """Return the scans numbered after `cursor`, in order."""
        after = {"campaign": campaign, "seq": {"$gt": cursor}}
        documents = self._scans.find(after, session=self._session).sort("seq", 1).limit(limit)
        return [numbered_scan(document) async for document in documents]

    async def scans_of_places(
        self, campaign: CampaignId, *, class_id: ClassId | None = None, places: Sequence[str] | None = None
    ) -> list[tuple[str, Scan]]:
        """Return pairs of place id and scan, of scans that named a place: all, of one class, or of these places."""
        query: dict[str, Any] = {"campaign": campaign, "place": {"$ne": None} if places is None else {"$in": places}}
        if class_id is not None:
            query["class_id"] = class_id
        documents = self._scans.find(query, session=self._session)
        return [(document["place"], scan_from_document(document)) async for document in documents]

    async def scans_with_ids(self, ids: Sequence[str]) -> tuple[list[str], list[Scan]]:
        """Return the places that these scans name, and the scans that name no place."""
        documents = await self._scans.find({"_id": {"$in": list(ids)}}, session=self._session).to_list(None)
        places = sorted({document["place"] for document in documents if document["place"] is not None})
        return places, [scan_from_document(document) for document in documents if document["place"] is None]

    async def lines(
        self,
        campaign: CampaignId,
        *,
        entries: Sequence[EntryId] | None = None,
        receipts: Sequence[Receipt] | None = None,
    ) -> list[RosterLine]:
        """Return the roster of the present draw: all of it, or the lines of these entries or receipt numbers.

        A place that a closing released is gone since then, also before the waiting list processed the release.
        """
        draw = await DrawRepository(self._at).find(campaign)
        if draw is None:
            return []
        closings = (await self.closings(campaign)).values()
        released = {place: closing.at for closing in closings for place in closing.released}
        held_since = await HistoryRepository(self._at).held_since(draw.rounds)
        places = PlaceRepository(self._at)
        if entries is not None:
            stored_places = await places.of_entries(draw.base, entries)
        else:
            stored_places = await (
                places.of_draw(draw.base) if receipts is None else places.of_receipts(draw.base, receipts)
            )
        digests = await EntryRepository(self._at).proof_digests(campaign, [stored.entry for stored in stored_places])
        return [_line(stored, released, held_since, digests) for stored in stored_places]

    async def note_device(self, campaign: CampaignId, device: str, session: str, now: datetime) -> bool:
        """Note that a device has sent everything that it had until now. Return True if this session is new to it."""
        seen = {"campaign": campaign, "device": device, "seen_at": now, "set_aside_by": None}
        change = {"$set": seen, "$addToSet": {"sessions": session}}
        before = await self._devices.find_one_and_update(
            {"_id": f"{campaign}/{device}"}, change, upsert=True, session=self._session
        )
        return before is None or session not in before.get("sessions", ())

    async def set_aside(self, campaign: CampaignId, device: str, actor: str) -> bool:
        """Stop waiting for a device. Return False if it is unknown."""
        change = {"$set": {"set_aside_by": actor}}
        changed = await self._devices.update_one({"_id": f"{campaign}/{device}"}, change, session=self._session)
        return bool(changed.matched_count)

    async def devices(self, campaign: CampaignId) -> list[Device]:
        """Return all devices of a campaign by name."""
        documents = self._devices.find({"campaign": campaign}, session=self._session).sort("device", 1)
        return [Device(row["device"], row["seen_at"], row["set_aside_by"]) async for row in documents]

    async def silent_devices(self, campaign: CampaignId, due: datetime) -> list[str]:
        """Return the devices that have not sent their scans of that time and were not set aside."""
        devices = await self.devices(campaign)
        return [device.name for device in devices if device.seen_at < due and device.set_aside_by is None]

    async def touch_counter(self, campaign: CampaignId) -> None:
        """Write to the scan counter, so that a closing and scans at the same time see each other."""
        await self._counters.update_one({"_id": campaign}, {"$inc": {"closings": 1}}, session=self._session)

    async def closings(self, campaign: CampaignId) -> dict[ClassId, Closing]:
        """Return the closings by class."""
        documents = self._closings.find({"campaign": campaign}, session=self._session)
        closings = [Closing.from_document(document) async for document in documents]
        return {closing.class_id: closing for closing in closings}

    async def add_closing(self, closing: Closing) -> None:
        """Insert a closing."""
        await self._closings.insert_one(dict(closing.to_document()), session=self._session)

    async def advance_release(self, closing: Closing, start: int, end: int) -> bool:
        """Advance `handed` from `start` to `end`. Return False if another process did so before."""
        query = {"_id": f"{closing.campaign}/{closing.class_id}", "handed": start}
        moved = await self._closings.update_one(query, {"$set": {"handed": end}}, session=self._session)
        return bool(moved.modified_count)


def _line(
    stored: StoredPlace,
    released: Mapping[str, datetime],
    held_since: Mapping[PlaceId, datetime],
    digests: Mapping[EntryId, ProofDigest],
) -> RosterLine:
    """Make a line of the roster. `released`: time of release by place id; `digests`: of the proofs, by entry."""
    state: Holding = "gone" if stored.id in released else _HOLDINGS[stored.place.state]
    gone_at = released.get(stored.id, stored.gone_at)
    place = Place(stored.place.seats, state, gone_at, held_since.get(stored.id))
    return RosterLine(stored.entry, stored.receipt, stored.class_id, place, digests.get(stored.entry))
