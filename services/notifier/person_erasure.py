"""Erase one applicant at the notifier: contact, newest slip and notices."""

from typing import Final

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import CONTACTS, NOTICES, SLIPS
from shared.contracts import PersonErasureRequested
from shared.erasure import KnownNames
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork

PERSON_STORES: Final = (CONTACTS, SLIPS, NOTICES)
_BY_TOKEN: Final = {CONTACTS: "_id", SLIPS: "_id", NOTICES: "token"}


class NotifierPeople:
    """Count and delete what the notifier holds of one applicant."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def close(self, request: PersonErasureRequested, uow: UnitOfWork) -> KnownNames:
        """Write the lock document that each handler's transaction writes, and return receipt and token."""
        applicants = ApplicantRepository.within(uow)
        await applicants.serialise(request.campaign)
        known = request.campaign, request.receipt
        token = await applicants.find_token(*known) or await applicants.find_token_of_slip(*known)
        return KnownNames(frozenset({request.receipt} if token is None else {request.receipt, token}))

    async def count(self, campaign: CampaignId, names: frozenset[str]) -> dict[str, int]:
        """Return the number of records in each store."""
        return {
            store: await self._store.db[store].count_documents(_about(member, campaign, names))
            for store, member in _BY_TOKEN.items()
        }

    async def delete(self, campaign: CampaignId, names: frozenset[str]) -> None:
        """Delete the records. Safe to repeat."""
        for store, member in _BY_TOKEN.items():
            await self._store.db[store].delete_many(_about(member, campaign, names))


def _about(member: str, campaign: CampaignId, names: frozenset[str]) -> JsonObject:
    return {member: {"$in": sorted(names)}, "campaign": campaign}
