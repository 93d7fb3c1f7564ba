"""Reception service: sends the roster, receives scans, and sends all scans to all devices.

The rules are applied again to the scans of all devices, independent of the answers that a device gave offline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.lottery.draw.repository import DrawRepository
from services.lottery.keys import LotteryKeys
from services.lottery.places.ownership import is_proof_of
from services.lottery.promotion.place_id import make_place_id, split_place_id
from services.lottery.reception.records import NumberedScan, StoredScan
from services.lottery.reception.repository import ErasedError, ReceptionRepository
from services.lottery.reception.rules.attendance import Fault, Place, Scan, Verdict, group_by_place, judge
from services.lottery.reception.rules.roster import RosterLine, admission_window
from services.lottery.record.passes import InvalidPassError, read_pass
from shared.campaign import Campaign
from shared.clock import Clock
from shared.codes import EntryId
from shared.contracts import StaffAct
from shared.ids import CampaignId, ClassId, Receipt
from shared.staff_acts import record_act
from shared.storage import Store, UnitOfWork

ANSWERED_AT_ONCE: Final = 2000
"""Scans in one answer; the device asks again for more."""


Evidence = Literal["pass", "code", "name", "receipt"]
"""What a reading rests on. `name`: the handler compared the name; `receipt`: a bare receipt number."""

_NamedLines = Mapping[tuple[str, ClassId], RosterLine]


@dataclass(frozen=True)
class Reading:
    """Reading of a device: exactly one of `shown` (a pass), `entry` with `proof`, and `receipt`.

    `at`: by the server's clock as last read. `compared`: the handler compared the name with an identity paper.
    """

    id: str
    at: datetime
    class_id: ClassId
    people: int
    served_class: ClassId | None
    undoes: str | None
    shown: str | None = None
    entry: EntryId | None = None
    proof: str | None = None
    receipt: Receipt | None = None
    compared: bool = False

    @property
    def by(self) -> Evidence:
        """What the reading rests on."""
        if self.shown is not None:
            return "pass"
        if self.entry is not None:
            return "code"
        return "name" if self.compared else "receipt"


@dataclass(frozen=True)
class Sender:
    """Device that sends, its handler, and the handler's session."""

    campaign: CampaignId
    device: str
    actor: str
    session: str = ""


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
            known = await _named_lines(reception, campaign, readings)
            await reception.add_scans(campaign, [self._make_scan(sender, reading, known, now) for reading in readings])
            if await reception.note_device(campaign, sender.device, f"{sender.actor}/{sender.session}", now):
                await record_act(uow, "lottery", StaffAct.USE_DEVICE, sender.actor, sender.device, campaign)

        await self._store.transact(store_scans)
        scans = await ReceptionRepository(self._store).scans_after(campaign, cursor, ANSWERED_AT_ONCE)
        reached = scans[-1].seq if scans else cursor
        verdicts = await self._verdicts(campaign, [reading.id for reading in readings])
        return SyncResponse(reached, len(scans) == ANSWERED_AT_ONCE, scans, verdicts)

    async def set_aside(self, campaign: CampaignId, device: str, actor: str) -> bool:
        """Stop waiting for a device. Return False if it is unknown."""

        async def stop_waiting(uow: UnitOfWork) -> bool:
            is_known = await ReceptionRepository(uow).set_aside(campaign, device, actor)
            if is_known:
                await record_act(uow, "lottery", StaffAct.SET_DEVICE_ASIDE, actor, device, campaign)
            return is_known

        return await self._store.transact(stop_waiting)

    def _make_scan(self, sender: Sender, reading: Reading, known: _NamedLines, now: datetime) -> StoredScan:
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
        return StoredScan(scan, place, reading.by, sender.actor, now)

    def _find_place(
        self, campaign: CampaignId, reading: Reading, known: _NamedLines
    ) -> tuple[ClassId, str | None, Fault | None]:
        """Return class, place id and fault of a reading."""
        if reading.shown is not None:
            read = self._place_shown(campaign, reading.shown)
            return (reading.class_id, None, "forged") if read is None else (*read, None)
        line = known.get((reading.entry or reading.receipt or "", reading.class_id))
        if line is None:
            return reading.class_id, None, "unknown"
        return line.class_id, line.place_id, _fault(reading, line)

    def _place_shown(self, campaign: CampaignId, shown: str) -> tuple[ClassId, str] | None:
        """Return class and place id of a pass that the lottery signed; None for any other text."""
        try:
            read = read_pass(self._keys.believed(), campaign, shown)
        except InvalidPassError:
            return None
        class_id = next((known.id for known in self._campaigns[campaign].classes if known.number == read.number), None)
        return None if class_id is None else (class_id, make_place_id(EntryId(read.entry.hex()), class_id))

    async def _verdicts(self, campaign: CampaignId, ids: Sequence[str]) -> dict[str, Verdict]:
        """Return the verdicts on these scans, from all scans of the places that they name."""
        if not ids:
            return {}
        reception = ReceptionRepository(self._store)
        places, without_place = await reception.scans_with_ids(ids)
        pairs = await reception.scans_of_places(campaign, places=places)
        entries = [split_place_id(place)[0] for place in places]
        lines = await reception.lines(campaign, entries=entries)
        verdicts = judge_all(self._campaigns[campaign], lines, pairs)
        window = admission_window(self._campaigns[campaign].classes[0])  # of any class: these scans are refused anyway
        return {name: verdicts[name] for name in ids if name in verdicts} | judge(None, window, without_place)

    async def _refuse_erased(self, campaign: CampaignId) -> None:
        draw = await DrawRepository(self._store).find(campaign)
        if draw is not None and draw.is_erasing:
            raise ErasedError(campaign)


async def _named_lines(
    reception: ReceptionRepository, campaign: CampaignId, readings: Sequence[Reading]
) -> _NamedLines:
    """Return the lines of the roster that readings name by receipt number or entry, by that name and class."""
    receipts = [reading.receipt for reading in readings if reading.receipt is not None]
    entries = [reading.entry for reading in readings if reading.entry is not None]
    by_receipt = await reception.lines(campaign, receipts=receipts) if receipts else []
    by_entry = await reception.lines(campaign, entries=entries) if entries else []
    named: dict[tuple[str, ClassId], RosterLine] = {(line.receipt, line.class_id): line for line in by_receipt}
    return named | {(line.entry, line.class_id): line for line in by_entry}


def _fault(reading: Reading, line: RosterLine) -> Fault | None:
    """Return the defect of a reading that names a place without a pass. A bare receipt number proves nothing."""
    if reading.by == "code":
        return None if is_proof_of(line.proof_sha256, reading.proof or "") else "wrong-code"
    return None if reading.compared else "unproved"


def judge_all(campaign: Campaign, lines: Sequence[RosterLine], pairs: Sequence[tuple[str, Scan]]) -> dict[str, Verdict]:
    """Return the verdict on every scan, judged by place."""
    places: dict[str, Place] = {line.place_id: line.place for line in lines}
    verdicts: dict[str, Verdict] = {}
    for place, scans in group_by_place(pairs).items():
        event_class = campaign.event_class(split_place_id(place)[1])
        assert event_class is not None  # noqa: S101  (a place is made from a class of the campaign)
        verdicts |= judge(places.get(place), admission_window(event_class), scans)
    return verdicts
