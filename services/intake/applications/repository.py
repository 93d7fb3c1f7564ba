"""Store submissions: id, receipt, fingerprint, status. No sealed bytes, no person, no class (R-C9).

Unique indexes prevent duplicates: the application id is the document's id; a receipt is unique in its campaign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from services.intake.rules.states import RECEIPTED, SUBMISSION_STATES, Status
from shared import receipts
from shared.batching import Batcher
from shared.contracts import Channel, Decision
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import BulkWriteError, DuplicateKeyError, Store, UnitOfWork, UpdateOne, delete_in_chunks

APPLICATIONS: Final = "applications"
_DUPLICATE_KEY: Final = 11000
_RECEIPTED: Final = {"$in": sorted(RECEIPTED)}


@dataclass(frozen=True)
class Arrival:
    """Describe an application that arrives. `at`: domain time of its first arrival; repetitions keep it."""

    application_id: ApplicationId
    campaign: CampaignId
    channel: Channel
    fingerprint: str
    at: datetime


@dataclass(frozen=True)
class StoredSubmission:
    """Hold what intake stores of one application."""

    arrival: Arrival
    receipt: Receipt
    status: Status = Status.PENDING
    reasons: tuple[str, ...] = ()
    revision: int = 0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        arrival = Arrival(
            application_id=document["_id"],
            campaign=document["campaign"],
            channel=document["channel"],
            fingerprint=document["fingerprint"],
            at=document["recorded_at"],
        )
        reasons = tuple(document["reasons"])
        return cls(arrival, document["receipt"], Status(document["status"]), reasons, document["revision"])

    def to_document(self) -> dict[str, Any]:
        """Return the document to store."""
        return {
            "_id": self.arrival.application_id,
            "campaign": self.arrival.campaign,
            "channel": self.arrival.channel,
            "fingerprint": self.arrival.fingerprint,
            "receipt": self.receipt,
            "status": self.status,
            "reasons": list(self.reasons),
            "revision": self.revision,
            "recorded_at": self.arrival.at,
        }


class SubmissionRepository:
    """Read and write submissions; each change of status is one conditional write along `SUBMISSION_STATES`."""

    def __init__(self, store: Store) -> None:
        self._applications = store.db[APPLICATIONS]
        self._add = Batcher(self._add_all)
        self._confirm = Batcher(self._confirm_all)

    async def add(self, arrival: Arrival) -> StoredSubmission:
        """Insert an arrival as pending, or return what was stored under its id before, whatever its body was."""
        return await self._add(replace(arrival, at=_truncate_to_milliseconds(arrival.at)))

    async def _add_all(self, arrivals: Sequence[Arrival]) -> list[StoredSubmission]:
        """Insert all with their first receipt candidates; insert those whose id or receipt is taken one by one."""
        candidates = [_make_candidate(arrival) for arrival in arrivals]
        taken: set[int] = set()
        try:
            await self._applications.insert_many(list(map(_make_pending_document, candidates)), ordered=False)
        except BulkWriteError as error:
            taken = _duplicate_indexes(error)
        return [
            await self._add_one(candidate.arrival) if index in taken else candidate
            for index, candidate in enumerate(candidates)
        ]

    async def _add_one(self, arrival: Arrival) -> StoredSubmission:
        for receipt in receipts.candidates(arrival.channel, arrival.application_id):
            candidate = StoredSubmission(arrival, receipt)
            try:
                await self._applications.insert_one(_make_pending_document(candidate))
            except DuplicateKeyError:
                earlier = await self.find(arrival.application_id)
                if earlier is not None:
                    return earlier
            else:
                return candidate
        raise AssertionError("no receipt number is left")

    async def find(self, application_id: ApplicationId) -> StoredSubmission | None:
        """Return the submission, or None where intake has none of this id."""
        document = await self._applications.find_one({"_id": application_id})
        return None if document is None else StoredSubmission.from_document(document)

    async def find_by_receipt(self, campaign: CampaignId, receipt: Receipt) -> StoredSubmission | None:
        """Return the submission with this receipt number, or None."""
        document = await self._applications.find_one({"campaign": campaign, "receipt": receipt})
        return None if document is None else StoredSubmission.from_document(document)

    async def confirm(self, application_id: ApplicationId) -> bool:
        """Change pending to received, after the broker has confirmed. Return False if no receipt may be given."""
        return await self._confirm(application_id)

    async def _confirm_all(self, ids: Sequence[ApplicationId]) -> list[bool]:
        pending = {"_id": {"$in": ids}, "status": {"$in": SUBMISSION_STATES.before(Status.RECEIVED)}}
        change = {"$set": {"status": Status.RECEIVED}, "$unset": {"pending_since": ""}}
        if (await self._applications.update_many(pending, change)).modified_count == len(ids):
            return [True] * len(ids)
        documents = self._applications.find({"_id": {"$in": ids}, "status": _RECEIPTED}, {"_id": 1})
        receipted = {document["_id"] async for document in documents}
        return [application_id in receipted for application_id in ids]

    async def decide(self, campaign: CampaignId, decisions: Sequence[Decision], uow: UnitOfWork) -> None:
        """Write decisions of the vault; the higher revision holds, in whatever order two decisions arrive.

        Applications that intake does not have (erased, expired) are not inserted.
        """
        changes = [_make_decision_update(campaign, decision) for decision in decisions]
        await uow.db[APPLICATIONS].bulk_write(changes, ordered=True, session=uow.session)

    async def count_pending_since(self, campaign: CampaignId, since: datetime) -> int:
        """Return the number of applications that were stored after `since` (wall time) and are still pending."""
        query = {"campaign": campaign, "status": Status.PENDING, "pending_since": {"$gt": since}}
        return int(await self._applications.count_documents(query))

    async def give_up_pending(self, campaign: CampaignId) -> None:
        """Change every pending application to late, so that `confirm` returns False for it from now on."""
        pending = {"campaign": campaign, "status": {"$in": SUBMISSION_STATES.before(Status.LATE)}}
        await self._applications.update_many(pending, {"$set": {"status": Status.LATE}})

    async def list_receipted(self, campaign: CampaignId, uow: UnitOfWork) -> list[ApplicationId]:
        """Return the ids of all applications with a receipt, sorted."""
        query = {"campaign": campaign, "status": _RECEIPTED}
        documents = uow.db[APPLICATIONS].find(query, {"_id": 1}, session=uow.session).sort("_id", 1)
        return [ApplicationId(document["_id"]) async for document in documents]

    async def count_by_channel(self, campaign: CampaignId) -> dict[str, dict[str, int]]:
        """Return the number of applications by channel and status, pending ones included."""
        groups = self._applications.aggregate(
            [
                {"$match": {"campaign": campaign}},
                {"$group": {"_id": {"channel": "$channel", "status": "$status"}, "count": {"$sum": 1}}},
            ]
        )
        counts: dict[str, dict[str, int]] = {}
        async for group in groups:
            counts.setdefault(group["_id"]["channel"], {})[group["_id"]["status"]] = group["count"]
        return counts

    async def count(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's applications."""
        return int(await self._applications.count_documents({"campaign": campaign}))

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the campaign's applications. Safe to repeat."""
        await delete_in_chunks(self._applications, {"campaign": campaign})


def _make_candidate(arrival: Arrival) -> StoredSubmission:
    return StoredSubmission(arrival, next(receipts.candidates(arrival.channel, arrival.application_id)))


def _make_pending_document(submission: StoredSubmission) -> dict[str, Any]:
    """Add `pending_since` (wall time), by which the database deletes applications that were never completed."""
    return submission.to_document() | {"pending_since": datetime.now(UTC)}


def _duplicate_indexes(error: BulkWriteError) -> set[int]:
    """Return the indexes of documents that exist already. Raises the error itself if it has any other cause."""
    mistakes = (error.details or {}).get("writeErrors", [])
    if not mistakes or any(mistake["code"] != _DUPLICATE_KEY for mistake in mistakes):
        raise error
    return {mistake["index"] for mistake in mistakes}


def _make_decision_update(campaign: CampaignId, decision: Decision) -> UpdateOne:
    target = Status(decision.status)
    earlier = {
        "_id": decision.application_id,
        "campaign": campaign,
        "status": {"$in": SUBMISSION_STATES.before(target)},
        "revision": {"$lt": decision.revision},
    }
    change = {"status": target, "reasons": list(decision.reasons), "revision": decision.revision}
    return UpdateOne(earlier, {"$set": change, "$unset": {"pending_since": ""}})


def _truncate_to_milliseconds(at: datetime) -> datetime:
    """Return the time as the database stores it, so that a repetition publishes the same event."""
    return at.astimezone(UTC) - timedelta(microseconds=at.microsecond % 1000)
