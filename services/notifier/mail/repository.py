"""Reads and writes of notices that go by mail; every write of a state is conditional on the state table."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Self

from services.notifier.collections import NOTICES
from services.notifier.rules import states
from services.notifier.rules.answers import Consequence
from services.notifier.rules.notice import Notice
from services.notifier.rules.states import NoticeState
from shared.ids import CampaignId, NoticeId
from shared.storage import Database, Session, UnitOfWork, UpdateOne

ATTEMPT_LIMIT: Final = 1000
"""Orders of one mail that the contract allows."""


class MailRepository:
    """Read and write notices that go by mail, inside a transaction if a session is given."""

    def __init__(self, db: Database, session: Session | None = None) -> None:
        self._notices, self._session = db[NOTICES], session

    @classmethod
    def within(cls, uow: UnitOfWork) -> Self:
        """Return a repository whose reads and writes belong to the transaction."""
        return cls(uow.db, uow.session)

    async def list_due(
        self, campaign: CampaignId, now: datetime, *, bulk: bool, but: Collection[str], limit: int
    ) -> list[Notice]:
        """Return up to `limit` notices that are due by mail, oldest first, except for some classes of mail domains."""
        selected = {
            "campaign": campaign,
            "bulk": bulk,
            "state": {"$in": sorted(states.TO_MAIL)},
            "next_at": {"$lte": now},
            "way": "mail",
            "attempts": {"$lt": ATTEMPT_LIMIT},
            **({"mail_domain_class": {"$nin": sorted(but)}} if but else {}),
        }
        return await self._find(selected, limit)

    async def record_order(self, notices: Sequence[Notice], document: NoticeId | None = None) -> None:
        """Record that mails are ordered: one to each applicant, or a shared one under the id `document`.

        The database's clock says when, because another instance may wait for the answer.
        """
        selected = {"_id": {"$in": [notice.id for notice in notices]}, "state": {"$in": sorted(states.TO_MAIL)}}
        values = {
            "state": NoticeState.MAILING.value,
            "asked_at": "$$NOW",
            "attempts": {"$add": ["$attempts", 1]},
            **({"document": {"$literal": document}} if document else {}),
        }
        await self._notices.update_many(selected, [{"$set": values}], session=self._session)

    async def list_of_documents(self, campaign: CampaignId, documents: Iterable[NoticeId]) -> list[Notice]:
        """Return the notices whose last mail order has one of these ids."""
        return await self._find({"campaign": campaign, "document": {"$in": list(documents)}})

    async def settle(self, settled: Sequence[tuple[Notice, Consequence]], now: datetime) -> None:
        """Write the consequences of answers or reports, each on a notice in the state in which it was read."""
        writes = [_settled(notice, consequence, now) for notice, consequence in settled]
        if writes:
            await self._notices.bulk_write(writes, ordered=False, session=self._session)

    async def give_up_waiting(self, campaign: CampaignId, silence: timedelta) -> int:
        """Record as unknown the mails that have had no answer for so long, and return their number."""
        states.NOTICES.check(NoticeState.MAILING, NoticeState.UNKNOWN)
        before = {"$subtract": ["$$NOW", int(silence.total_seconds() * 1000)]}
        answer = await self._notices.update_many(
            {"campaign": campaign, "state": NoticeState.MAILING, "$expr": {"$lt": ["$asked_at", before]}},
            {"$set": {"state": NoticeState.UNKNOWN, "code": "no-answer"}, "$inc": {"mails": 1}},
            session=self._session,
        )
        return answer.modified_count

    async def _find(self, selected: dict[str, Any], limit: int = 0) -> list[Notice]:
        cursor = self._notices.find(selected, session=self._session).sort("next_at", 1).limit(limit)
        return [Notice.from_document(document) async for document in cursor]


def _settled(notice: Notice, consequence: Consequence, now: datetime) -> UpdateOne:
    """Return the write of one consequence. Raises TransitionError if the table does not allow it."""
    states.NOTICES.check(notice.state, consequence.state)
    selected = {"_id": notice.id, "state": notice.state}
    return UpdateOne(selected, {"$set": {"state": consequence.state, **_values(notice, consequence, now)}})


def _values(notice: Notice, consequence: Consequence, now: datetime) -> dict[str, Any]:
    """Return the other fields that change with the state."""
    values: dict[str, Any] = {"code": consequence.code} if consequence.code is not None else {}
    if consequence.is_taken and notice.state is NoticeState.MAILING:
        values["mails"] = notice.mails + 1
    if consequence.is_taken and notice.sent_at is None and consequence.state is not NoticeState.UNKNOWN:
        values["sent_at"] = now
    match consequence.state:
        case NoticeState.SENT:
            values["bounced"] = False
        case NoticeState.DEFERRED | NoticeState.UNRELEASED:
            values["next_at"] = now + timedelta(seconds=consequence.wait_s)
            values |= {"alone": True} if consequence.alone else {"deferrals": notice.deferrals + consequence.deferrals}
        case NoticeState.TO_PRINT | NoticeState.BOUNCED:
            values |= {"bounced": True, "way": "card", "next_at": now}
        case NoticeState.UNDELIVERED:
            values["bounced"] = True
    return values
