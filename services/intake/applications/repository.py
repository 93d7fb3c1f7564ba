"""Store submissions: id, receipt document, fingerprint, digest of the proof, status. No sealed bytes, no person (R-C9).

Unique indexes prevent duplicates: the application id is the document's id; a receipt is unique in its campaign.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from services.intake.applications.stored import Arrival, StoredSubmission
from services.intake.receipts.sign import Receiptable, ReceiptSigner, SignedReceipt, truncate_to_milliseconds
from services.intake.rules.states import IN_ROLL, RECEIPTED, SUBMISSION_STATES, Status
from shared.batching import Batcher
from shared.contracts import ClosedReceipt, Decision
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import BulkWriteError, DuplicateKeyError, Store, UnitOfWork, UpdateOne, delete_in_chunks

APPLICATIONS: Final = "applications"
_DUPLICATE_KEY: Final = 11000
_RECEIPTED: Final = {"$in": sorted(RECEIPTED)}


@dataclass(frozen=True)
class _Draft:
    """Arrival before it has a receipt number."""

    arrival: Arrival
    stated: Receiptable
    receipt_key: bytes = field(repr=False)


class SubmissionRepository:
    """Read and write submissions; each change of status is one conditional write along `SUBMISSION_STATES`."""

    def __init__(self, store: Store, signer: ReceiptSigner) -> None:
        self._store, self._applications, self._signer = store, store.db[APPLICATIONS], signer
        self._add = Batcher(self._add_all)
        self._confirm = Batcher(self._confirm_all)

    async def add(self, arrival: Arrival, receipt_key: bytes, sealed_sha256: str) -> StoredSubmission:
        """Insert an arrival as pending, or return what was stored under its id before, whatever its body was.

        `receipt_key`: the campaign's, from which the receipt number is made.
        """
        at = truncate_to_milliseconds(arrival.at)
        stated = Receiptable(arrival.campaign, arrival.application_id, sealed_sha256, at)
        return await self._add(_Draft(replace(arrival, at=at), stated, receipt_key))

    async def _add_all(self, drafts: Sequence[_Draft]) -> list[StoredSubmission]:
        """Insert all with their first receipt candidates; insert those whose id or receipt is taken one by one."""
        candidates = [next(self._candidates(draft)) for draft in drafts]
        taken: set[int] = set()
        try:
            await self._applications.insert_many(list(map(_make_pending_document, candidates)), ordered=False)
        except BulkWriteError as error:
            taken = _duplicate_indexes(error)
        return [
            await self._add_one(draft) if index in taken else candidate
            for index, (draft, candidate) in enumerate(zip(drafts, candidates, strict=True))
        ]

    def _candidates(self, draft: _Draft) -> Iterator[StoredSubmission]:
        for signed in self._signer.candidates(draft.receipt_key, draft.arrival.channel, draft.stated):
            yield StoredSubmission.of_receipt(draft.arrival, signed)

    async def _add_one(self, draft: _Draft) -> StoredSubmission:
        for candidate in self._candidates(draft):
            try:
                await self._applications.insert_one(_make_pending_document(candidate))
            except DuplicateKeyError:
                earlier = await self.find(draft.arrival.application_id)
                if earlier is not None:
                    return earlier
            else:
                return candidate
        raise AssertionError("no receipt number is left")

    async def find(self, application_id: ApplicationId, uow: UnitOfWork | None = None) -> StoredSubmission | None:
        """Return the submission, or None where intake has none of this id."""
        session = None if uow is None else uow.session
        document = await self._applications.find_one({"_id": application_id}, session=session)
        return None if document is None else StoredSubmission.from_document(document)

    async def find_by_receipt(self, campaign: CampaignId, receipt: Receipt) -> StoredSubmission | None:
        """Return the submission with this receipt number, or None."""
        shown = {"campaign": campaign, "receipt": receipt, "status": {"$ne": Status.ERASED}}
        document = await self._applications.find_one(shown)
        return None if document is None else StoredSubmission.from_document(document)

    async def confirm(self, application_id: ApplicationId) -> bool:
        """Change pending to received, after the broker has confirmed. Return False if no receipt may be given."""
        return await self._confirm(application_id)

    async def _confirm_all(self, ids: Sequence[ApplicationId]) -> list[bool]:
        pending = {"_id": {"$in": ids}, "status": {"$in": SUBMISSION_STATES.before(Status.RECEIVED)}}
        change = {"$set": {"status": Status.RECEIVED}, "$unset": {"pending_since": ""}}
        changed = await self._store.insist(lambda: self._applications.update_many(pending, change))
        if changed.modified_count == len(ids):
            return [True] * len(ids)
        documents = self._applications.find({"_id": {"$in": ids}, "status": _RECEIPTED}, {"_id": 1})
        receipted = {document["_id"] async for document in documents}
        return [application_id in receipted for application_id in ids]

    async def decide(self, campaign: CampaignId, decisions: Sequence[Decision], uow: UnitOfWork) -> None:
        """Write decisions of the vault; the higher revision holds, in whatever order two decisions arrive.

        A decision about an earlier version than the last one is not shown. Applications that intake does not have
        (erased, expired) are not inserted.
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

    async def list_receipted(self, campaign: CampaignId, uow: UnitOfWork) -> list[ClosedReceipt]:
        """Return receipt, last version and line of all applications with a receipt."""
        query = {"campaign": campaign, "status": {"$in": sorted(IN_ROLL)}}
        members = {"_id": 0, "receipt": 1, "version": 1, "line": 1}
        documents = uow.db[APPLICATIONS].find(query, members, session=uow.session)
        return [ClosedReceipt.model_construct(**document) async for document in documents]

    async def add_settled(self, submission: StoredSubmission, uow: UnitOfWork) -> None:
        """Insert an application that the vault made of a paper."""
        await uow.db[APPLICATIONS].insert_one(submission.to_document(), session=uow.session)

    async def is_receipt_taken(self, campaign: CampaignId, receipt: Receipt, uow: UnitOfWork | None = None) -> bool:
        """Return True if an application of the campaign has this receipt number."""
        session = None if uow is None else uow.session
        query = {"campaign": campaign, "receipt": receipt}
        return await self._applications.find_one(query, {"_id": 1}, session=session) is not None

    async def advance_version(self, application_id: ApplicationId, signed: SignedReceipt, uow: UnitOfWork) -> bool:
        """Make a further version the last one; the vault has not decided about it yet.

        Return False where the application has no receipt that may be shown: one of an erased person never gets one.
        """
        change = {"version": signed.version, "line": signed.line, "status": Status.RECEIVED, "reasons": []}
        receipted = {"_id": application_id, "status": _RECEIPTED}
        update = {"$set": {**change, "revision": 0}}
        return bool((await uow.db[APPLICATIONS].update_one(receipted, update, session=uow.session)).matched_count)

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
        "version": decision.version,
        "status": {"$in": SUBMISSION_STATES.before(target)},
        "revision": {"$lt": decision.revision},
    }
    change = {"status": target, "reasons": list(decision.reasons), "revision": decision.revision}
    return UpdateOne(earlier, {"$set": change, "$unset": {"pending_since": ""}})
