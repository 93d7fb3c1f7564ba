"""Reception service: sends the roster, receives scans, and sends all scans to all devices.

The rules are applied again to the scans of all devices, independent of the answers that a device gave offline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lottery.draw.repository import DrawRepository
from services.lottery.keys import LotteryKeys
from services.lottery.promotion.place_id import make_place_id, split_place_id
from services.lottery.reception.records import NumberedScan, StoredScan
from services.lottery.reception.repository import ErasedError, ReceptionRepository
from services.lottery.reception.rules.attendance import Fault, Place, Scan, Verdict, group_by_place, judge
from services.lottery.reception.rules.roster import RosterLine, admission_window
from services.lottery.record.passes import InvalidPassError, read_pass
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId, ClassId, Receipt
from shared.storage import Store, UnitOfWork

ANSWERED_AT_ONCE: Final = 2000
"""Scans in one answer; the device asks again for more."""


@dataclass(frozen=True)
class Reading:
    """Reading of a device: exactly one of `shown` (a pass) and `receipt`. `at`: by the server's clock as last read."""

    id: str
    at: datetime
    class_id: ClassId
    people: int
    served_class: ClassId | None
    undoes: str | None
    shown: str | None
    receipt: Receipt | None


@dataclass(frozen=True)
class Sender:
    """Device that sends, and its handler."""

    campaign: CampaignId
    device: str
    actor: str


@dataclass(frozen=True)
class SyncResponse:
    """Answer to a device: all scans after the cursor, and the verdicts on the scans that it sent."""

    cursor: int
    more: bool
    scans: Sequence[NumberedScan]
    verdicts: Mapping[str, Verdict]


class ReceptionService:
    def __init__(self, store: Store, keys: LotteryKeys, clock: Clock, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._keys, self._clock, self._campaigns = store, keys, clock, campaigns

    async def roster(self, campaign: CampaignId) -> list[RosterLine]:
        """Return the roster by place id. Raises ErasedError."""
        await self._refuse_erased(campaign)
        return sorted(await ReceptionRepository(self._store).lines(campaign), key=lambda line: line.place_id)

    async def sync(self, sender: Sender, readings: Sequence[Reading], cursor: int) -> SyncResponse:
        """Store the scans of a device and return all scans after its cursor. Raises ErasedError."""
        campaign = sender.campaign
        await self._refuse_erased(campaign)
        now = self._clock.now()

        async def store_scans(uow: UnitOfWork) -> None:
            reception = ReceptionRepository(uow)
            receipts = [reading.receipt for reading in readings if reading.receipt is not None]
            lines = await reception.lines(campaign, receipts=receipts) if receipts else []
            known = {(line.receipt, line.class_id): line for line in lines}
            await reception.add_scans(campaign, [self._make_scan(sender, reading, known, now) for reading in readings])
            await reception.note_device(campaign, sender.device, now)

        await self._store.transact(store_scans)
        scans = await ReceptionRepository(self._store).scans_after(campaign, cursor, ANSWERED_AT_ONCE)
        reached = scans[-1].seq if scans else cursor
        verdicts = await self._verdicts(campaign, [reading.id for reading in readings])
        return SyncResponse(reached, len(scans) == ANSWERED_AT_ONCE, scans, verdicts)

    async def set_aside(self, campaign: CampaignId, device: str, actor: str) -> bool:
        """Stop waiting for a device. Return False if it is unknown."""
        return await ReceptionRepository(self._store).set_aside(campaign, device, actor)

    def _make_scan(
        self, sender: Sender, reading: Reading, known: Mapping[tuple[Receipt, ClassId], RosterLine], now: datetime
    ) -> StoredScan:
        """Make a scan from a reading. A time ahead of the server's clock is corrected to now."""
        class_id, place, fault = self._find_place(sender.campaign, reading, known)
        scan = Scan(
            id=reading.id,
            device=sender.device,
            at=min(reading.at, now),
            class_id=class_id,
            people=reading.people,
            served_class=reading.served_class,
            undoes=reading.undoes,
            fault=fault,
        )
        return StoredScan(scan, place, "receipt" if reading.shown is None else "pass", sender.actor, now)

    def _find_place(
        self, campaign: CampaignId, reading: Reading, known: Mapping[tuple[Receipt, ClassId], RosterLine]
    ) -> tuple[ClassId, str | None, Fault | None]:
        """Return class, place id and fault of a reading."""
        if reading.shown is not None:
            read = self._place_shown(campaign, reading.shown)
            return (reading.class_id, None, "forged") if read is None else (*read, None)
        line = known.get((reading.receipt or Receipt(""), reading.class_id))
        return (reading.class_id, None, "unknown") if line is None else (line.class_id, line.place_id, None)

    def _place_shown(self, campaign: CampaignId, shown: str) -> tuple[ClassId, str] | None:
        """Return class and place id of a pass that the lottery signed; None for any other text."""
        try:
            read = read_pass(self._keys.signing.public, campaign, shown)
        except InvalidPassError:
            return None
        class_id = next((known.id for known in self._campaigns[campaign].classes if known.number == read.number), None)
        return None if class_id is None else (class_id, make_place_id(read.entry, class_id))

    async def _verdicts(self, campaign: CampaignId, ids: Sequence[str]) -> dict[str, Verdict]:
        """Return the verdicts on these scans, from all scans of the places that they name."""
        if not ids:
            return {}
        reception = ReceptionRepository(self._store)
        places, without_place = await reception.scans_with_ids(ids)
        pairs = await reception.scans_of_places(campaign, places=places)
        entries = [place.partition("/")[0] for place in places]
        lines = await reception.lines(campaign, entries=entries)
        verdicts = judge_all(self._campaigns[campaign], lines, pairs)
        window = admission_window(self._campaigns[campaign].classes[0])  # of any class: these scans are refused anyway
        return {name: verdicts[name] for name in ids if name in verdicts} | judge(None, window, without_place)

    async def _refuse_erased(self, campaign: CampaignId) -> None:
        draw = await DrawRepository(self._store).find(campaign)
        if draw is not None and draw.is_erasing:
            raise ErasedError(campaign)


def judge_all(campaign: Campaign, lines: Sequence[RosterLine], pairs: Sequence[tuple[str, Scan]]) -> dict[str, Verdict]:
    """Return the verdict on every scan, judged by place."""
    places: dict[str, Place] = {line.place_id: line.place for line in lines}
    verdicts: dict[str, Verdict] = {}
    for place, scans in group_by_place(pairs).items():
        event_class = campaign.event_class(split_place_id(place)[1])
        assert event_class is not None  # noqa: S101  (a place is made from a class of the campaign)
        verdicts |= judge(places.get(place), admission_window(event_class), scans)
    return verdicts
