"""The office's side of reception: the roster goes out, scans come in, and everybody hears of everybody's.

Whatever a device decided while it was alone, the rules are applied again here, over the scans of all devices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.lottery.draw.repository import DrawRepository
from services.lottery.keys import LotteryKeys
from services.lottery.reception import repository as ledger
from services.lottery.reception.repository import Erased, Kept
from services.lottery.reception.rules.attendance import Fault, Place, Scan, Verdict, by_place, judge
from services.lottery.reception.rules.roster import Line, place_id, window_of
from services.lottery.record.passes import InvalidPassError, read_pass
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId, ClassId, Receipt
from shared.storage import Store, UnitOfWork

ANSWERED_AT_ONCE: Final = 2000
"""So many scans of other devices a device hears in one answer; for more it asks again."""


@dataclass(frozen=True)
class Reading:
    """What a device sends: exactly one of `shown` (a pass) and `receipt`; `at` by the office's clock as it knew it."""

    id: str
    at: datetime
    class_id: ClassId
    people: int
    desk: ClassId | None
    undoes: str | None
    shown: str | None
    receipt: Receipt | None


@dataclass(frozen=True)
class Sender:
    """Which device sends, and who works at it."""

    campaign: CampaignId
    device: str
    actor: str


@dataclass(frozen=True)
class Heard:
    """The answer: everybody's scans after the cursor, and the verdicts on those that were sent."""

    cursor: int
    more: bool
    scans: Sequence[Mapping[str, Any]]
    verdicts: Mapping[str, Verdict]


class Desk:
    def __init__(self, store: Store, keys: LotteryKeys, clock: Clock, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._keys, self._clock, self._campaigns = store, keys, clock, campaigns

    async def roster(self, campaign: CampaignId) -> list[Line]:
        """Raises Erased."""
        await self._refuse_erased(campaign)
        return sorted(await ledger.lines(self._store, campaign), key=lambda line: line.place_id)

    async def meet(self, sender: Sender, readings: Sequence[Reading], cursor: int) -> Heard:
        """Take what a device has and tell it what the others had. Raises Erased."""
        campaign = sender.campaign
        await self._refuse_erased(campaign)
        now = self._clock.now()

        async def work(uow: UnitOfWork) -> None:
            receipts = [each.receipt for each in readings if each.receipt is not None]
            known = await ledger.receipts_to_lines(uow, campaign, receipts) if receipts else {}
            await ledger.add(uow, campaign, [self._kept(sender, each, known, now) for each in readings])
            await ledger.seen(uow, campaign, sender.device, now)

        await self._store.transact(work)
        scans = await ledger.since(self._store, campaign, cursor, ANSWERED_AT_ONCE)
        reached = scans[-1]["seq"] if scans else cursor
        verdicts = await self._verdicts(campaign, [each.id for each in readings])
        return Heard(reached, len(scans) == ANSWERED_AT_ONCE, scans, verdicts)

    async def set_aside(self, campaign: CampaignId, device: str, actor: str) -> bool:
        """A device that will not come back is waited for no longer; whether it was known."""
        name = f"{campaign}/{device}"
        changed = await self._store.db[ledger.DEVICES].update_one({"_id": name}, {"$set": {"set_aside_by": actor}})
        return bool(changed.matched_count)

    def _kept(
        self, sender: Sender, reading: Reading, known: Mapping[tuple[Receipt, ClassId], Line], now: datetime
    ) -> Kept:
        """A reading as a scan of a place. A clock that is ahead of the office's is put right."""
        class_id, place, fault = self._found(sender.campaign, reading, known)
        scan = Scan(
            id=reading.id,
            device=sender.device,
            at=min(reading.at, now),
            class_id=class_id,
            people=reading.people,
            desk=reading.desk,
            undoes=reading.undoes,
            fault=fault,
        )
        return Kept(scan, place, "receipt" if reading.shown is None else "pass", sender.actor, now)

    def _found(
        self, campaign: CampaignId, reading: Reading, known: Mapping[tuple[Receipt, ClassId], Line]
    ) -> tuple[ClassId, str | None, Fault | None]:
        """Class and place id; or what is wrong with the reading."""
        if reading.shown is not None:
            read = self._place_shown(campaign, reading.shown)
            return (reading.class_id, None, "forged") if read is None else (*read, None)
        line = known.get((reading.receipt or Receipt(""), reading.class_id))
        return (reading.class_id, None, "unknown") if line is None else (line.class_id, line.place_id, None)

    def _place_shown(self, campaign: CampaignId, shown: str) -> tuple[ClassId, str] | None:
        """Class and place id of a pass that the lottery signed; None for any other."""
        try:
            read = read_pass(self._keys.signing.public, campaign, shown)
        except InvalidPassError:
            return None
        class_id = next((each.id for each in self._campaigns[campaign].classes if each.number == read.number), None)
        return None if class_id is None else (class_id, place_id(read.entry, class_id))

    async def _verdicts(self, campaign: CampaignId, ids: Sequence[str]) -> dict[str, Verdict]:
        """On these scans, by all the scans of the places that they speak of."""
        if not ids:
            return {}
        sent = await self._store.db[ledger.SCANS].find({"_id": {"$in": list(ids)}}).to_list(None)
        places = {each["place"] for each in sent if each["place"] is not None}
        pairs = await ledger.scans_of(self._store, campaign, place={"$in": sorted(places)})
        entries = {"$in": [each.partition("/")[0] for each in places]}
        told = judged(self._campaigns[campaign], await ledger.lines(self._store, campaign, entry=entries), pairs)
        nowhere = [ledger.scan_of(each) for each in sent if each["place"] is None]
        window = window_of(self._campaigns[campaign].classes[0])  # of no class: these are refused whatever the time
        return {name: told[name] for name in ids if name in told} | judge(None, window, nowhere)

    async def _refuse_erased(self, campaign: CampaignId) -> None:
        draw = await DrawRepository(self._store).find(campaign)
        if draw is not None and draw.is_erasing:
            raise Erased(campaign)


def judged(campaign: Campaign, lines: Sequence[Line], pairs: Sequence[tuple[str, Scan]]) -> dict[str, Verdict]:
    """The verdict on every scan, place by place."""
    places: dict[str, Place] = {line.place_id: line.place for line in lines}
    told: dict[str, Verdict] = {}
    for place, scans in by_place(pairs).items():
        event_class = campaign.event_class(place.partition("/")[2])
        assert event_class is not None  # noqa: S101  (a place is made from a class of the campaign)
        told |= judge(places.get(place), window_of(event_class), scans)
    return told
