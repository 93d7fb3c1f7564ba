"""The ledger of papers: id, serial number, receipt, fingerprint, status. No sealed bytes (ADR 14, ADR 16).

Every "once" is a unique index: the paper's id is the document's id; serial and receipt are unique in their campaign.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from services.intake.rules.paper_states import RECEIPTED_PAPER, PaperStatus, before_paper
from services.intake.rules.paper_submission import PaperSubmission
from shared import receipts
from shared.ids import ApplicationId, CampaignId, PaperId, Receipt
from shared.storage import DuplicateKeyError, Store, UnitOfWork

PAPERS: Final = "papers"


class SerialTaken(Exception):  # noqa: N818  (says what is the case)
    """Another paper of the campaign has this serial number."""


@dataclass(frozen=True)
class PaperRecord:
    """A line of the ledger."""

    paper_id: PaperId
    fingerprint: str
    receipt: Receipt
    status: PaperStatus


class PaperLedger:
    def __init__(self, store: Store) -> None:
        self._papers = store.db[PAPERS]

    async def note(self, campaign: CampaignId, paper: PaperSubmission, fingerprint: str) -> PaperRecord:
        """Write a paper down as pending, or find what was written under its id before. Raises SerialTaken."""
        for receipt in receipts.candidates(paper.channel, ApplicationId(paper.paper_id)):
            line = _pending_line(campaign, paper, fingerprint, receipt)
            try:
                await self._papers.insert_one(line)
            except DuplicateKeyError:
                earlier = await self.find(paper.paper_id)
                if earlier is not None:
                    return earlier
                if await self._papers.find_one({"campaign": campaign, "serial": paper.serial}, {"_id": 1}):
                    raise SerialTaken from None
            else:
                return _record(line)
        raise AssertionError("no receipt number is left")

    async def find(self, paper_id: PaperId) -> PaperRecord | None:
        line = await self._papers.find_one({"_id": paper_id})
        return None if line is None else _record(line)

    async def confirm(self, paper_id: PaperId) -> bool:
        """The broker has it: pending becomes received. False where no receipt may be given any more."""
        pending = {"_id": paper_id, "status": {"$in": before_paper(PaperStatus.RECEIVED)}}
        change = {"$set": {"status": PaperStatus.RECEIVED}, "$unset": {"pending_since": ""}}
        if (await self._papers.update_one(pending, change)).modified_count:
            return True
        record = await self.find(paper_id)
        return record is not None and record.status in RECEIPTED_PAPER

    async def settle(self, campaign: CampaignId, paper_id: PaperId, target: PaperStatus, uow: UnitOfWork) -> None:
        """What the vault says became of it. Papers that are not in the ledger (erased, expired) stay absent."""
        earlier = {"_id": paper_id, "campaign": campaign, "status": {"$in": before_paper(target)}}
        change = {"$set": {"status": target}, "$unset": {"pending_since": ""}}
        await uow.db[PAPERS].update_one(earlier, change, session=uow.session)

    async def pending_since(self, campaign: CampaignId, since: datetime) -> int:
        """How many papers noted after `since` (wall time) are still under way."""
        query = {"campaign": campaign, "status": PaperStatus.PENDING, "pending_since": {"$gt": since}}
        return int(await self._papers.count_documents(query))

    async def give_up_pending(self, campaign: CampaignId) -> None:
        """No receipt will be given for what is still pending: `confirm` fails from now on."""
        pending = {"campaign": campaign, "status": {"$in": before_paper(PaperStatus.LATE)}}
        await self._papers.update_many(pending, {"$set": {"status": PaperStatus.LATE}})

    async def unkeyed(self, campaign: CampaignId) -> int:
        """Papers with a receipt that nobody has keyed or put aside."""
        return int(await self._papers.count_documents({"campaign": campaign, "status": PaperStatus.RECEIVED}))

    async def counts(self, campaign: CampaignId) -> dict[str, int]:
        """Numbers by status, pending ones included."""
        groups = self._papers.aggregate(
            [{"$match": {"campaign": campaign}}, {"$group": {"_id": "$status", "count": {"$sum": 1}}}]
        )
        return {group["_id"]: group["count"] async for group in groups}


def _pending_line(campaign: CampaignId, paper: PaperSubmission, fingerprint: str, receipt: Receipt) -> dict[str, Any]:
    """`pending_since` is wall time, for the database's own expiry of what nobody came back for."""
    return {
        "_id": paper.paper_id,
        "campaign": campaign,
        "channel": paper.channel,
        "serial": paper.serial,
        "fingerprint": fingerprint,
        "receipt": receipt,
        "status": PaperStatus.PENDING,
        "pending_since": datetime.now(UTC),
    }


def _record(line: Mapping[str, Any]) -> PaperRecord:
    return PaperRecord(line["_id"], line["fingerprint"], line["receipt"], PaperStatus(line["status"]))
