"""Contacts and newest slips of applicants by token, as vault and lottery published them: the sources of notices."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from services.notifier.collections import CAMPAIGN_LOCKS, CONTACTS, SLIPS
from shared.contracts import Contact
from shared.ids import CampaignId, ClassId, Receipt, Token
from shared.json_types import JsonObject
from shared.storage import Database, DuplicateKeyError, Session, UnitOfWork, UpdateOne


@dataclass(frozen=True)
class Occasion:
    """Reason for a slip: the kind of its notice, and the class that a change of places is about."""

    kind: str
    class_id: ClassId | None = None


@dataclass(frozen=True)
class StoredSlip:
    """Newest slip of one application with all its occasions; two changes may have one number."""

    token: Token
    n: int
    slip: JsonObject
    occasions: tuple[Occasion, ...]


class ApplicantRepository:
    """Read and write contacts and slips, inside a transaction if a session is given."""

    def __init__(self, db: Database, session: Session | None = None) -> None:
        self._contacts, self._slips = db[CONTACTS], db[SLIPS]
        self._locks, self._session = db[CAMPAIGN_LOCKS], session

    @classmethod
    def within(cls, uow: UnitOfWork) -> Self:
        """Return a repository whose reads and writes belong to the transaction."""
        return cls(uow.db, uow.session)

    async def ensure_locks(self, campaigns: Iterable[CampaignId]) -> None:
        """Create the lock document of each campaign. Called at every start, before messages are consumed."""
        for campaign in campaigns:
            with contextlib.suppress(DuplicateKeyError):
                await self._locks.update_one({"_id": campaign}, {"$setOnInsert": {"writes": 0}}, upsert=True)

    async def serialise(self, campaign: CampaignId) -> None:
        """Write the campaign's lock document, so that of two transactions at the same time one is run again.

        Without it, a contact and a slip stored at the same moment would not see each other, and no notice would be
        created.
        """
        await self._locks.update_one({"_id": campaign}, {"$inc": {"writes": 1}}, session=self._session)

    async def save_contacts(self, campaign: CampaignId, contacts: Sequence[Contact]) -> None:
        """Write contacts, by token."""
        writes = [
            _upsert(contact.token, {"campaign": campaign, **contact.model_dump(mode="json", exclude={"token"})})
            for contact in contacts
        ]
        if writes:
            await self._contacts.bulk_write(writes, session=self._session)

    async def save_slips(self, campaign: CampaignId, slips: Sequence[StoredSlip]) -> None:
        """Write slips, by token; an older slip of the token is overwritten."""
        writes = [
            _upsert(
                slip.token,
                {
                    "campaign": campaign,
                    "n": slip.n,
                    "slip": slip.slip,
                    "occasions": [vars(occasion) for occasion in slip.occasions],
                },
            )
            for slip in slips
        ]
        if writes:
            await self._slips.bulk_write(writes, session=self._session)

    async def load_contacts(self, tokens: Iterable[Token]) -> dict[Token, Contact]:
        """Return the contacts that are stored."""
        cursor = self._contacts.find({"_id": {"$in": list(tokens)}}, session=self._session)
        return {document["_id"]: _contact(document) async for document in cursor}

    async def load_slips(self, tokens: Iterable[Token]) -> dict[Token, StoredSlip]:
        """Return the newest slips that are stored."""
        cursor = self._slips.find({"_id": {"$in": list(tokens)}}, session=self._session)
        return {document["_id"]: _slip(document) async for document in cursor}

    async def load_slip_numbers(self, tokens: Iterable[Token]) -> dict[Token, int]:
        """Return the number of each applicant's newest slip."""
        cursor = self._slips.find({"_id": {"$in": list(tokens)}}, {"n": 1}, session=self._session)
        return {document["_id"]: document["n"] async for document in cursor}

    async def load_receipts(self, tokens: Iterable[Token]) -> dict[Token, Receipt]:
        """Return the receipt numbers of the contacts that are stored."""
        cursor = self._contacts.find({"_id": {"$in": list(tokens)}}, {"receipt": 1}, session=self._session)
        return {document["_id"]: document["receipt"] async for document in cursor}

    async def list_recipients(
        self, campaign: CampaignId, class_id: ClassId | None, *, after: Token | None, limit: int
    ) -> list[Token]:
        """Return up to `limit` tokens for an announcement, in order: all not rejected, or all who hold the class.

        Whom a later draw left out does not hold it any more, though the slip says so.
        """
        held: dict[str, Any] = {"slip.outcomes": {"$elemMatch": {"class_id": class_id, "outcome": "won"}}}
        chosen: dict[str, Any] = {"status": "complete"}
        source = self._contacts
        if class_id is not None:
            source, chosen = self._slips, held | await self._not_left_out(campaign)
        beyond = {} if after is None else {"_id": {"$gt": after}}
        cursor = source.find({"campaign": campaign, **chosen, **beyond}, {"_id": 1}, session=self._session)
        return [Token(document["_id"]) async for document in cursor.sort("_id", 1).limit(limit)]

    async def _not_left_out(self, campaign: CampaignId) -> dict[str, Any]:
        """Return the filter of slips that no later draw made void."""
        left_out: defaultdict[int, list[Token]] = defaultdict(list)
        wanted = {"campaign": campaign, "left_out_of": {"$gt": 0}}
        found = self._contacts.find(wanted, {"left_out_of": 1}, session=self._session)
        async for document in found:
            left_out[document["left_out_of"]].append(document["_id"])
        void = [{"_id": {"$in": tokens}, "n": {"$lt": number}} for number, tokens in left_out.items()]
        return {"$nor": void} if void else {}

    async def find_token(self, campaign: CampaignId, receipt: Receipt) -> Token | None:
        """Return the token of this receipt number, or None if the campaign has none."""
        selected = {"campaign": campaign, "receipt": receipt}
        document = await self._contacts.find_one(selected, {"_id": 1}, session=self._session)
        return None if document is None else Token(document["_id"])

    async def find_token_of_slip(self, campaign: CampaignId, receipt: Receipt) -> Token | None:
        """Return the token of the slip with this receipt number: slips may come before contacts. It reads all slips."""
        selected = {"campaign": campaign, "slip.receipt": receipt}
        document = await self._slips.find_one(selected, {"_id": 1}, session=self._session)
        return None if document is None else Token(document["_id"])


def _upsert(document_id: str, values: dict[str, Any]) -> UpdateOne:
    return UpdateOne({"_id": document_id}, {"$set": values}, upsert=True)


def _contact(document: dict[str, Any]) -> Contact:
    values = {name: value for name, value in document.items() if name not in {"_id", "campaign"}}
    return Contact.model_validate({**values, "token": document["_id"]})


def _slip(document: dict[str, Any]) -> StoredSlip:
    occasions = tuple(Occasion(**occasion) for occasion in document["occasions"])
    return StoredSlip(document["_id"], document["n"], document["slip"], occasions)
