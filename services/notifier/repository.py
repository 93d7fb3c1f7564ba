"""The notices collection. Every write of a state is conditional on the state table (`rules/states.py`)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Self

from services.notifier.collections import NOTICES
from services.notifier.rules import states
from services.notifier.rules.kinds import COURTESIES
from services.notifier.rules.notice import UNDECIDED, Notice
from services.notifier.rules.states import NoticeState
from shared.contracts import AskedNotice
from shared.ids import BatchId, CampaignId, NoticeId, Token
from shared.paging import PageRequest
from shared.storage import Database, Session, UnitOfWork, UpdateOne


class NoticeRepository:
    """Read and write notices, inside a transaction if a session is given."""

    def __init__(self, db: Database, session: Session | None = None) -> None:
        self._notices, self._session = db[NOTICES], session

    @classmethod
    def within(cls, uow: UnitOfWork) -> Self:
        """Return a repository whose reads and writes belong to the transaction."""
        return cls(uow.db, uow.session)

    async def insert_missing(self, notices: Sequence[Notice]) -> None:
        """Insert the notices whose token, kind and number have none yet; leave the others as they are."""
        inserts = [UpdateOne(_key(notice), {"$setOnInsert": notice.to_document()}, upsert=True) for notice in notices]
        if inserts:
            await self._notices.bulk_write(inserts, ordered=False, session=self._session)

    async def revive(self, notices: Sequence[Notice]) -> None:
        """Order notices of the register again that were replaced or not delivered, in the state of the new ones."""
        for to in (NoticeState.PENDING, NoticeState.TO_PRINT, NoticeState.TO_PHONE):
            keys = [_key(notice) for notice in notices if notice.state is to]
            sources = {NoticeState.REPLACED, NoticeState.UNDELIVERED} & set(states.NOTICES.before(to))
            if keys:
                selected = {"$or": keys, "mails": {"$lt": states.MAIL_LIMIT}}
                await self._transition(selected, to, sources)

    async def redirect_to_post(self, tokens: Collection[Token]) -> None:
        """Print the mails that were not ordered yet, because these applicants have no mail address any more."""
        selected = {"token": {"$in": list(tokens)}, "way": "mail", "kind": {"$nin": sorted(COURTESIES)}}
        await self._transition(selected, NoticeState.TO_PRINT, states.TO_MAIL, {"way": "card"})

    async def list_replaceable(self, tokens: Collection[Token]) -> list[Notice]:
        """Return the notices of these applicants whose place a newer one may take."""
        of_any_kind = {"state": {"$in": sorted(states.REPLACEABLE)}}
        calls = {"kind": UNDECIDED, "state": {"$in": sorted(states.REPLACEABLE_CALLS)}}
        return await self._find({"token": {"$in": list(tokens)}, "$or": [of_any_kind, calls]})

    async def replace(self, notices: Sequence[NoticeId]) -> None:
        """Record that newer notices say what these say."""
        if notices:
            of_any_kind = {"_id": {"$in": list(notices)}}
            await self._transition(of_any_kind, NoticeState.REPLACED, states.REPLACEABLE)
            calls = {**of_any_kind, "kind": UNDECIDED}
            await self._transition(calls, NoticeState.REPLACED, states.REPLACEABLE_CALLS)

    async def list_notices(
        self, campaign: CampaignId, *only: NoticeState, page: PageRequest | None = None
    ) -> list[Notice]:
        """Return the notices of the campaign, all or those in these states; `page`: some, in the order of their ids."""
        selected = {"campaign": campaign, **({"state": {"$in": only}} if only else {})}
        if page is None:
            return await self._find(selected)
        found = self._notices.find(page.query(selected), session=self._session).sort("_id", 1).limit(page.fetched)
        return [Notice.from_document(document) async for document in found]

    async def find(self, campaign: CampaignId, notice: NoticeId) -> Notice | None:
        """Return the notice with this id; None if the campaign has none."""
        return next(iter(await self._find({"_id": notice, "campaign": campaign})), None)

    async def list_by_ids(self, ids: Collection[NoticeId]) -> list[Notice]:
        """Return the notices with these ids."""
        return await self._find({"_id": {"$in": list(ids)}})

    async def list_of(self, campaign: CampaignId, token: Token) -> list[Notice]:
        """Return all notices of one applicant."""
        return await self._find({"campaign": campaign, "token": token})

    async def decide(self, campaign: CampaignId, notice: NoticeId, to: NoticeState, actor: str, at: datetime) -> bool:
        """Move a notice on by a handler's decision. Return False if state or kind forbid it (`states.DECISIONS`)."""
        selected: dict[str, Any] = {"_id": notice, "campaign": campaign}
        values: dict[str, Any] = {"resolved_by": actor, "next_at": at}
        match to:
            case NoticeState.SENT:
                values["sent_at"] = at
            case NoticeState.TO_PRINT:
                selected["kind"] = {"$nin": sorted(COURTESIES)}
                values["way"] = "card"
            case NoticeState.PENDING:
                selected |= {"way": "mail", "mails": {"$lt": states.MAIL_LIMIT}}
        return await self._transition(selected, to, states.DECISIONS[to], values) == 1

    async def ask_again(self, asked: AskedNotice, campaign: CampaignId, at: datetime) -> bool:
        """Send a notice once more because its applicant asked by telephone. Return False if that is not possible now.

        Neither a third mail nor a third card goes; an order under way goes on.
        """
        selected: dict[str, Any] = {"token": asked.token, "kind": asked.kind, "n": asked.n, "campaign": campaign}
        values: dict[str, Any] = {"resolved_by": asked.sub, "next_at": at, "way": asked.way}
        if asked.way == "mail":
            selected |= {"channel": "mail", "mails": {"$lt": states.MAIL_LIMIT}}
            return await self._transition(selected, NoticeState.PENDING, states.MAIL_AGAIN, values) == 1
        selected |= {"card_attempts": {"$lt": states.CARD_LIMIT}}
        if asked.kind in COURTESIES:
            return False
        return await self._transition(selected, NoticeState.TO_PRINT, states.CARD_AGAIN, values) == 1

    # Cards.

    async def record_return(
        self, campaign: CampaignId, notice: NoticeId, reason: str, actor: str, at: datetime
    ) -> bool:
        """Record that a posted card came back. Return False if the notice is not `posted`."""
        values = {"return_reason": reason, "returned_by": actor, "returned_at": at}
        selected = {"_id": notice, "campaign": campaign}
        return await self._transition(selected, NoticeState.RETURNED, {NoticeState.POSTED}, values) == 1

    async def move_batch(self, batch: BatchId, to: NoticeState, source: NoticeState) -> None:
        """Move the notices of a print batch on that are in the state `source`."""
        await self._transition({"print_batch": batch}, to, {source})

    async def list_posted(self, campaign: CampaignId, token: Token) -> list[Notice]:
        """Return the notices of an applicant that are posted."""
        return await self._find({"campaign": campaign, "token": token, "state": NoticeState.POSTED})

    async def list_to_print(self, campaign: CampaignId, now: datetime, limit: int) -> list[Notice]:
        """Return up to `limit` notices that wait for a print batch, oldest first."""
        waiting = {"state": {"$in": sorted(states.TO_CARD)}, "way": "card", "next_at": {"$lte": now}}
        return await self._find({"campaign": campaign, **waiting}, limit)

    async def start_printing(self, notices: Sequence[NoticeId], batch: BatchId) -> int:
        """Record that the cards are ordered, and return their number."""
        selected, values = {"_id": {"$in": list(notices)}, "way": "card"}, {"print_batch": batch}
        return await self._transition(selected, NoticeState.REQUESTED, states.TO_CARD, values, count="card_attempts")

    async def record_made(self, made: Collection[NoticeId]) -> None:
        """Record that these cards are in the PDF of their batch."""
        await self._transition({"_id": {"$in": list(made)}}, NoticeState.MADE, {NoticeState.REQUESTED})

    async def record_card_failure(
        self, notices: Collection[NoticeId], to: NoticeState, next_at: datetime, kind: str | None = None
    ) -> None:
        """Record why these cards could not be made; `kind`: only those of this kind."""
        selected = {"_id": {"$in": list(notices)}, **({"kind": kind} if kind else {})}
        await self._transition(selected, to, {NoticeState.REQUESTED}, {"next_at": next_at})

    async def _find(self, selected: dict[str, Any], limit: int = 0) -> list[Notice]:
        cursor = self._notices.find(selected, session=self._session).sort("next_at", 1).limit(limit)
        return [Notice.from_document(document) async for document in cursor]

    async def _transition(
        self,
        selected: dict[str, Any],
        to: NoticeState,
        sources: Collection[NoticeState],
        values: dict[str, Any] | None = None,
        *,
        count: str | None = None,
    ) -> int:
        """Move the selected notices on from one of the sources, and return their number. `count`: field to raise."""
        for source in sources:
            states.NOTICES.check(source, to)
        update: dict[str, Any] = {"$set": {"state": to, **(values or {})}}
        if count is not None:
            update["$inc"] = {count: 1}
        selected = {**selected, "state": {"$in": sorted(sources)}}
        return (await self._notices.update_many(selected, update, session=self._session)).modified_count


def tokens_of(notices: Iterable[Notice]) -> set[Token]:
    """Return the tokens of these notices."""
    return {notice.token for notice in notices}


def _key(notice: Notice) -> dict[str, Any]:
    return {"token": notice.token, "kind": notice.kind, "n": notice.n}
