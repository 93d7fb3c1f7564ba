"""Contacts, results and offers of applicants, as other services published them: the sources of every notice."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from services.notifier.collections import CAMPAIGN_LOCKS, CONTACTS, OFFERS, RESULTS
from shared.contracts import Contact, PlaceOffer, Result
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId, DrawId, Receipt
from shared.storage import Database, DuplicateKeyError, Session, UnitOfWork, UpdateOne


class ApplicantMissingError(KujiError):
    """Raised when the source of a notice is not stored; only an erasure removes it, and the notice with it."""


@dataclass(frozen=True)
class DrawResult:
    """Result of one application, and the draw that it is of."""

    draw: DrawId
    result: Result


class ApplicantRepository:
    """Read and write contacts, results and offers, inside a transaction if a session is given."""

    def __init__(self, db: Database, session: Session | None = None) -> None:
        self._contacts, self._results, self._offers = db[CONTACTS], db[RESULTS], db[OFFERS]
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

        Without it, a contact and a result stored at the same moment would not see each other, and no notice would be
        created.
        """
        await self._locks.update_one({"_id": campaign}, {"$inc": {"writes": 1}}, session=self._session)

    async def save_contacts(self, campaign: CampaignId, contacts: Sequence[Contact]) -> None:
        """Write contacts, by application."""
        writes = [_upsert(contact.application_id, {"campaign": campaign, **_plain(contact)}) for contact in contacts]
        await self._contacts.bulk_write(writes, session=self._session)

    async def save_results(self, campaign: CampaignId, draw: DrawId, results: Sequence[Result]) -> None:
        """Write results, by application; a stored result of an earlier draw is overwritten."""
        facts = {"campaign": campaign, "draw": draw}
        writes = [_upsert(result.application_id, {**facts, **_plain(result)}) for result in results]
        await self._results.bulk_write(writes, session=self._session)

    async def save_offers(self, campaign: CampaignId, draw: DrawId, offers: Sequence[PlaceOffer]) -> None:
        """Write offers, by application and occasion."""
        facts = {"campaign": campaign, "draw": draw}
        writes = [
            _upsert(_offer_id(offer.application_id, offer.occasion), {**facts, **offer.model_dump(mode="json")})
            for offer in offers
        ]
        await self._offers.bulk_write(writes, session=self._session)

    async def load_contacts(
        self, applications: Iterable[ApplicationId], status: str | None = None
    ) -> dict[ApplicationId, Contact]:
        """Return the contacts that are stored, all or those with this status."""
        selected = {"_id": {"$in": list(applications)}, **({"status": status} if status else {})}
        cursor = self._contacts.find(selected, session=self._session)
        return {document["_id"]: _contact(document) async for document in cursor}

    async def load_results(self, applications: Iterable[ApplicationId]) -> list[DrawResult]:
        """Return the results that are stored."""
        cursor = self._results.find({"_id": {"$in": list(applications)}}, session=self._session)
        return [DrawResult(document["draw"], _result(document)) async for document in cursor]

    async def load_offers(self, applications: Iterable[ApplicationId]) -> list[PlaceOffer]:
        """Return all offers to these applications."""
        cursor = self._offers.find({"application_id": {"$in": list(applications)}}, session=self._session)
        return [_offer(document) async for document in cursor]

    async def last_draws(self, applications: Iterable[ApplicationId]) -> dict[ApplicationId, DrawId]:
        """Return the draw of each application's stored result."""
        cursor = self._results.find({"_id": {"$in": list(applications)}}, {"draw": 1}, session=self._session)
        return {document["_id"]: document["draw"] async for document in cursor}

    async def find_application(self, campaign: CampaignId, receipt: Receipt) -> ApplicationId | None:
        """Return the application with this receipt number, or None if the campaign has none."""
        document = await self._contacts.find_one(
            {"campaign": campaign, "receipt": receipt}, {"_id": 1}, session=self._session
        )
        return None if document is None else ApplicationId(document["_id"])

    async def load_contact(self, application: ApplicationId) -> Contact:
        """Return the contact. Raises ApplicantMissingError if there is none."""
        return _contact(_present(await self._contacts.find_one({"_id": application}, session=self._session)))

    async def load_result(self, application: ApplicationId) -> Result:
        """Return the result of the last draw. Raises ApplicantMissingError if there is none."""
        return _result(_present(await self._results.find_one({"_id": application}, session=self._session)))

    async def load_offer(self, application: ApplicationId, occasion: str) -> PlaceOffer:
        """Return the offer of this occasion. Raises ApplicantMissingError if there is none."""
        selected = {"_id": _offer_id(application, occasion)}
        return _offer(_present(await self._offers.find_one(selected, session=self._session)))


def _present(document: dict[str, Any] | None) -> dict[str, Any]:
    if document is None:
        raise ApplicantMissingError("the source of a notice is not stored; see whether its campaign was erased")
    return document


def _upsert(document_id: str, values: dict[str, Any]) -> UpdateOne:
    return UpdateOne({"_id": document_id}, {"$set": values}, upsert=True)


def _offer_id(application: ApplicationId, occasion: str) -> str:
    return f"{application}/{occasion}"


def _plain(value: Contact | Result) -> dict[str, Any]:
    return value.model_dump(mode="json", exclude={"application_id"})


def _contact(document: dict[str, Any]) -> Contact:
    values = {name: value for name, value in document.items() if name not in {"_id", "campaign"}}
    return Contact.model_validate({**values, "application_id": document["_id"]})


def _result(document: dict[str, Any]) -> Result:
    values = {name: value for name, value in document.items() if name not in {"_id", "campaign", "draw"}}
    return Result.model_validate({**values, "application_id": document["_id"]})


def _offer(document: dict[str, Any]) -> PlaceOffer:
    values = {name: value for name, value in document.items() if name not in {"_id", "campaign", "draw"}}
    return PlaceOffer.model_validate(values)
