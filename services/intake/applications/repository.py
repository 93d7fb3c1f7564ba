"""The ledger of applications: id, receipt, fingerprint, status. No sealed bytes, no person, no class (R-C9).

Every "once" is a unique index: the application id is the document's id, a receipt is unique in its campaign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.intake.rules.states import RECEIPTED, Status, before_status
from shared import receipts
from shared.batching import Together
from shared.contracts import Channel, Decision
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import BulkWriteError, DuplicateKeyError, Store, UnitOfWork, UpdateOne

APPLICATIONS: Final = "applications"
_DUPLICATE_KEY: Final = 11000
_RECEIPTED: Final = {"$in": sorted(RECEIPTED)}


@dataclass(frozen=True)
class Arrival:
    """An application at the door. `at`: domain time of its first arrival, kept whatever is repeated later."""

    application_id: ApplicationId
    campaign: CampaignId
    channel: Channel
    fingerprint: str
    at: datetime


@dataclass(frozen=True)
class Record:
    """A line of the ledger."""

    arrival: Arrival
    receipt: Receipt
    status: Status
    reasons: tuple[str, ...] = ()


class Ledger:
    """Reads and writes lines; each change of status is one conditional write along `states.STATUS_AFTER`."""

    def __init__(self, store: Store) -> None:
        self._applications = store.db[APPLICATIONS]
        self._note_together = Together(self._note_all)
        self._confirm_together = Together(self._confirm_all)

    async def note(self, arrival: Arrival) -> Record:
        """Write an arrival down as pending, or find what was written under its id before (of whatever body)."""
        return await self._note_together(arrival)

    async def _note_all(self, arrivals: Sequence[Arrival]) -> list[Record]:
        """First numbers at once; whose id or number was taken goes through the numbers by itself."""
        lines = [_pending_line(each, next(receipts.candidates(each.channel, each.application_id))) for each in arrivals]
        taken: set[int] = set()
        try:
            await self._applications.insert_many(lines, ordered=False)
        except BulkWriteError as error:
            taken = _duplicates(error)
        return [
            await self._note_one(arrival) if number in taken else _record(line)
            for number, (arrival, line) in enumerate(zip(arrivals, lines, strict=True))
        ]

    async def _note_one(self, arrival: Arrival) -> Record:
        for receipt in receipts.candidates(arrival.channel, arrival.application_id):
            line = _pending_line(arrival, receipt)
            try:
                await self._applications.insert_one(line)
            except DuplicateKeyError:
                earlier = await self.find(arrival.application_id)
                if earlier is not None:
                    return earlier
            else:
                return _record(line)
        raise AssertionError("no receipt number is left")

    async def find(self, application_id: ApplicationId) -> Record | None:
        line = await self._applications.find_one({"_id": application_id})
        return None if line is None else _record(line)

    async def find_by_receipt(self, campaign: CampaignId, receipt: Receipt) -> Record | None:
        line = await self._applications.find_one({"campaign": campaign, "receipt": receipt})
        return None if line is None else _record(line)

    async def confirm(self, application_id: ApplicationId) -> bool:
        """The broker has it: pending becomes received. False where no receipt may be given any more."""
        return await self._confirm_together(application_id)

    async def _confirm_all(self, ids: Sequence[ApplicationId]) -> list[bool]:
        pending = {"_id": {"$in": ids}, "status": {"$in": before_status(Status.RECEIVED)}}
        change = {"$set": {"status": Status.RECEIVED}, "$unset": {"pending_since": ""}}
        if (await self._applications.update_many(pending, change)).modified_count == len(ids):
            return [True] * len(ids)
        receipted = self._applications.find({"_id": {"$in": ids}, "status": _RECEIPTED}, {"_id": 1})
        known = {line["_id"] async for line in receipted}
        return [each in known for each in ids]

    async def decide(self, campaign: CampaignId, decisions: Sequence[Decision], uow: UnitOfWork) -> None:
        """Verdicts of the vault; of two on one application the higher revision holds, whichever comes first.

        Applications that are not in the ledger (erased, expired) stay absent.
        """
        changes = [_verdict(campaign, decision) for decision in decisions]
        await uow.db[APPLICATIONS].bulk_write(changes, ordered=True, session=uow.session)

    async def pending_since(self, campaign: CampaignId, since: datetime) -> int:
        """How many applications noted after `since` (wall time) are still under way."""
        query = {"campaign": campaign, "status": Status.PENDING, "pending_since": {"$gt": since}}
        return int(await self._applications.count_documents(query))

    async def give_up_pending(self, campaign: CampaignId) -> None:
        """No receipt will be given for what is still pending: `confirm` fails from now on."""
        pending = {"campaign": campaign, "status": {"$in": before_status(Status.LATE)}}
        await self._applications.update_many(pending, {"$set": {"status": Status.LATE}})

    async def roll(self, campaign: CampaignId, uow: UnitOfWork) -> list[ApplicationId]:
        """Every application that was given a receipt, by id."""
        query = {"campaign": campaign, "status": _RECEIPTED}
        lines = uow.db[APPLICATIONS].find(query, {"_id": 1}, session=uow.session).sort("_id", 1)
        return [ApplicationId(line["_id"]) async for line in lines]

    async def counts(self, campaign: CampaignId) -> dict[str, dict[str, int]]:
        """Numbers by channel and status, pending ones included."""
        groups = self._applications.aggregate(
            [
                {"$match": {"campaign": campaign}},
                {"$group": {"_id": {"channel": "$channel", "status": "$status"}, "count": {"$sum": 1}}},
            ]
        )
        found: dict[str, dict[str, int]] = {}
        async for group in groups:
            found.setdefault(group["_id"]["channel"], {})[group["_id"]["status"]] = group["count"]
        return found


def _duplicates(error: BulkWriteError) -> set[int]:
    """Which of the lines were there already; anything else that went wrong is raised as it is."""
    mistakes = (error.details or {}).get("writeErrors", [])
    if not mistakes or any(mistake["code"] != _DUPLICATE_KEY for mistake in mistakes):
        raise error
    return {mistake["index"] for mistake in mistakes}


def _pending_line(arrival: Arrival, receipt: Receipt) -> dict[str, Any]:
    """`pending_since` is wall time, for the database's own expiry of what nobody came back for."""
    return {
        "_id": arrival.application_id,
        "campaign": arrival.campaign,
        "channel": arrival.channel,
        "fingerprint": arrival.fingerprint,
        "receipt": receipt,
        "status": Status.PENDING,
        "reasons": [],
        "revision": 0,
        "recorded_at": _whole_milliseconds(arrival.at),
        "pending_since": datetime.now(UTC),
    }


def _record(line: Mapping[str, Any]) -> Record:
    arrival = Arrival(line["_id"], line["campaign"], line["channel"], line["fingerprint"], line["recorded_at"])
    return Record(arrival, line["receipt"], Status(line["status"]), tuple(line["reasons"]))


def _verdict(campaign: CampaignId, decision: Decision) -> UpdateOne:
    target = Status(decision.status)
    earlier = {
        "_id": decision.application_id,
        "campaign": campaign,
        "status": {"$in": before_status(target)},
        "revision": {"$lt": decision.revision},
    }
    settled = {"status": target, "reasons": list(decision.reasons), "revision": decision.revision}
    return UpdateOne(earlier, {"$set": settled, "$unset": {"pending_since": ""}})


def _whole_milliseconds(at: datetime) -> datetime:
    """As the database keeps it, so that a repetition says exactly what was said first."""
    return at.astimezone(UTC) - timedelta(microseconds=at.microsecond % 1000)
