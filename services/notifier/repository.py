"""The notices collection. Every write of a state is conditional on the state table (`rules/states.py`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from services.notifier.collections import NOTICES
from services.notifier.rules import states
from services.notifier.rules.notice import REJECTED_OCCASION, Notice
from services.notifier.rules.states import NoticeState
from shared.errors import KujiError, TransientError
from shared.ids import ApplicationId, BatchId, CampaignId, NoticeId, Token
from shared.storage import Database, ReturnDocument, Session, UnitOfWork, UpdateOne


class ClaimLostError(KujiError):
    """Raised when another session has taken over some of the notices; nothing was changed, nothing may be sent."""


@dataclass(frozen=True)
class NoticeCounts:
    """Counts over the notices of one campaign. `mails` counts mails taken by the mail server, bounced ones included."""

    by_state: dict[str, int]
    by_kind: dict[str, int]
    by_channel: dict[str, dict[str, int]]
    mails: int
    bounced: int


class NoticeRepository:
    """Read and write notices, inside a transaction if a session is given."""

    def __init__(self, db: Database, session: Session | None = None) -> None:
        self._notices, self._session = db[NOTICES], session

    @classmethod
    def within(cls, uow: UnitOfWork) -> Self:
        """Return a repository whose reads and writes belong to the transaction."""
        return cls(uow.db, uow.session)

    async def insert_missing(self, notices: Sequence[Notice]) -> None:
        """Insert the notices whose application and occasion have none yet; leave the others as they are."""
        inserts = [
            UpdateOne(
                {"application_id": notice.application_id, "occasion": notice.occasion},
                {"$setOnInsert": notice.to_document()},
                upsert=True,
            )
            for notice in notices
        ]
        if inserts:
            await self._notices.bulk_write(inserts, session=self._session)

    async def replace_unsent(self, applications: Sequence[ApplicationId]) -> None:
        """Mark the notices that were not sent as replaced, rejections excepted."""
        if applications:
            selected = {"application_id": {"$in": list(applications)}, "occasion": {"$ne": REJECTED_OCCASION}}
            await self._transition(selected, NoticeState.REPLACED)

    async def list_notices(self, campaign: CampaignId, *only: NoticeState) -> list[Notice]:
        """Return the notices of the campaign, all or those in these states."""
        return await self._find({"campaign": campaign, **({"state": {"$in": only}} if only else {})})

    # Claims (mail/claims.py): `mark` names one claim, and only its holder can move its notices on.

    async def claim_next(self, mark: str, lease_until: datetime, now: datetime) -> Notice | None:
        """Claim the next notice that is due by mail, and count the attempt. Return None if none is due."""
        document = await self._notices.find_one_and_update(
            *_change({"next_at": {"$lte": now}}, NoticeState.SENDING, _claimed(mark, lease_until), attempts=1),
            sort=[("next_at", 1)],
            return_document=ReturnDocument.AFTER,
            session=self._session,
        )
        return None if document is None else Notice.from_document(document)

    async def begin_sending_text(self, mark: str, notice: NoticeId, lease_until: datetime) -> None:
        """Record that the text is about to be sent. Raises ClaimLostError if the claim does not hold the notice."""
        changed = await self._transition(_held_by(mark, notice), NoticeState.COMMITTING, {"lease_until": lease_until})
        if not changed:
            raise ClaimLostError("another session took over the notice; this session claims another one")

    async def record_sent(self, mark: str, notice: NoticeId, code: int, at: datetime) -> None:
        """Record that the mail server took the text."""
        sent = {"sent_at": at, "code": str(code), "bounced": False}
        await self._transition(_held_by(mark, notice), NoticeState.SENT, sent)

    async def record_unknown(self, mark: str, notice: NoticeId) -> None:
        """Record that the answer to the text was lost."""
        await self._transition(_held_by(mark, notice), NoticeState.UNKNOWN)

    async def defer(self, mark: str, notice: NoticeId, code: int, next_at: datetime) -> None:
        """Record a temporary refusal; mail the notice again at `next_at`."""
        values = {"next_at": next_at, "bounced": False, "code": str(code)}
        await self._transition(_held_by(mark, notice), NoticeState.DEFERRED, values)

    async def switch_to_post(self, mark: str, notice: NoticeId, code: int, at: datetime) -> None:
        """Record a final refusal; the notice goes by post."""
        values = {"next_at": at, "bounced": True, "code": str(code)}
        await self._transition(_held_by(mark, notice), NoticeState.TO_PRINT, values)

    async def release_claim(self, mark: str, next_at: datetime) -> None:
        """Defer the claim's notice, whose text was not sent; the attempt does not count."""
        values = {"next_at": next_at}
        await self._transition({"claim": mark}, NoticeState.DEFERRED, values, source=NoticeState.SENDING, attempts=-1)

    async def take_over_expired(self, now: datetime) -> None:
        """Move on the notices of sessions that died: to `pending` before the text was sent, then to `unknown`."""
        expired = {"lease_until": {"$lt": now}}
        await self._transition(expired, NoticeState.PENDING, source=NoticeState.SENDING)
        await self._transition(expired, NoticeState.UNKNOWN, source=NoticeState.COMMITTING)

    # After the mail server's answer.

    async def record_bounce(
        self,
        campaign: CampaignId,
        notice: NoticeId,
        status: str,
        at: datetime,
        *,
        token: Token | None = None,
        is_unclear: bool = False,
    ) -> None:
        """Record a report on a mail. A token, if there is one, must be the notice's; a status 2.x.x is `unclear`."""
        selected = {"_id": notice, "campaign": campaign, **({} if token is None else {"token": token})}
        to = NoticeState.UNCLEAR if is_unclear or status.startswith("2") else NoticeState.BOUNCED
        values = {"code": status, "bounced": to is NoticeState.BOUNCED, "next_at": at}
        change = _change(selected, to, values)
        await self._notices.update_one(*change, session=self._session)

    async def decide(self, campaign: CampaignId, notice: NoticeId, to: NoticeState, actor: str, at: datetime) -> bool:
        """Move a notice on by a handler's decision. Return False if its state forbids it (`states.DECISIONS`)."""
        values = {"resolved_by": actor, "next_at": at, **({"sent_at": at} if to is NoticeState.SENT else {})}
        selected = {"_id": notice, "campaign": campaign}
        changes = [
            await self._transition(selected, to, values, source=source) for source in sorted(states.DECISIONS[to])
        ]
        return sum(changes) == 1

    async def record_return(
        self, campaign: CampaignId, notice: NoticeId, reason: str, actor: str, at: datetime
    ) -> bool:
        """Record that a posted card came back. Return False if the notice is not `posted`."""
        values = {"return_reason": reason, "returned_by": actor, "returned_at": at}
        return await self._transition({"_id": notice, "campaign": campaign}, NoticeState.RETURNED, values) == 1

    async def move_batch(self, batch: BatchId, to: NoticeState, source: NoticeState) -> None:
        """Move the notices of a print batch on that are in the state `source`."""
        await self._transition({"print_batch": batch}, to, source=source)

    async def list_posted(self, campaign: CampaignId, application: ApplicationId) -> list[Notice]:
        """Return the notices of an application that are posted."""
        selected = {"campaign": campaign, "application_id": application, "state": NoticeState.POSTED}
        return await self._find(selected)

    async def list_to_print(self, campaign: CampaignId, limit: int) -> list[Notice]:
        """Return up to `limit` notices that wait for a print batch, oldest first."""
        waiting = states.NOTICES.before(NoticeState.REQUESTED)
        return await self._find({"campaign": campaign, "state": {"$in": waiting}}, limit)

    async def start_printing(self, ids: Sequence[NoticeId], batch: BatchId) -> None:
        """Record that the cards are ordered. Raises TransientError if another process ordered some of them."""
        changed = await self._transition({"_id": {"$in": list(ids)}}, NoticeState.REQUESTED, {"print_batch": batch})
        if changed != len(ids):
            raise TransientError("another process ordered some of these cards; the next tick orders the rest")

    async def record_made(self, made: Collection[NoticeId], failed: Collection[NoticeId]) -> None:
        """Record which cards of a batch are in its PDF and which could not be made."""
        await self._transition({"_id": {"$in": list(made)}}, NoticeState.MADE)
        await self._transition({"_id": {"$in": list(failed)}}, NoticeState.FAILED)

    async def count_notices(self, campaign: CampaignId) -> NoticeCounts:
        """Count the notices of the campaign."""
        return NoticeCounts(
            by_state=await self._count_by("$state", campaign),
            by_kind=await self._count_by("$kind", campaign),
            by_channel=await self._count_by_channel(campaign),
            mails=await self._notices.count_documents({"campaign": campaign, "sent_at": {"$exists": True}}),
            bounced=await self._notices.count_documents({"campaign": campaign, "bounced": True}),
        )

    async def _count_by(self, field: str, campaign: CampaignId) -> dict[str, int]:
        match: dict[str, Any] = {"$match": {"campaign": campaign}}
        groups = [match, {"$group": {"_id": field, "count": {"$sum": 1}}}]
        return {str(row["_id"]): int(row["count"]) async for row in self._notices.aggregate(groups)}

    async def _count_by_channel(self, campaign: CampaignId) -> dict[str, dict[str, int]]:
        """Count the notices by the channel of the applicant, and by state."""
        key = {"channel": "$channel", "state": "$state"}
        groups: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign}},
            {"$group": {"_id": key, "count": {"$sum": 1}}},
        ]
        counts: dict[str, dict[str, int]] = {"mail": {}, "post": {}}
        async for row in self._notices.aggregate(groups):
            counts[row["_id"]["channel"]][row["_id"]["state"]] = int(row["count"])
        return counts

    async def _find(self, selected: dict[str, Any], limit: int = 0) -> list[Notice]:
        cursor = self._notices.find(selected, session=self._session).sort("next_at", 1).limit(limit)
        return [Notice.from_document(document) async for document in cursor]

    async def _transition(
        self,
        selected: dict[str, Any],
        to: NoticeState,
        values: dict[str, Any] | None = None,
        *,
        source: NoticeState | None = None,
        attempts: int = 0,
    ) -> int:
        """Move the selected notices on, those whose state allows it, and return their number."""
        change = _change(selected, to, values or {}, source=source, attempts=attempts)
        return (await self._notices.update_many(*change, session=self._session)).modified_count


def _held_by(mark: str, notice: NoticeId) -> dict[str, Any]:
    return {"_id": notice, "claim": mark}


def _claimed(mark: str, lease_until: datetime) -> dict[str, Any]:
    return {"claim": mark, "lease_until": lease_until}


def _change(
    selected: dict[str, Any],
    to: NoticeState,
    values: dict[str, Any],
    *,
    source: NoticeState | None = None,
    attempts: int = 0,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return filter and update of a transition from `source`, or from every state that the table allows."""
    if source is not None:
        states.NOTICES.check(source, to)
    sources = states.NOTICES.before(to) if source is None else [source]
    update: dict[str, Any] = {"$set": {"state": to, **values}}
    return {**selected, "state": {"$in": sources}}, {**update, **({"$inc": {"attempts": attempts}} if attempts else {})}
