"""Erase one applicant at intake: receipt documents, proof, fingerprints and reasons go, the line of the roll stays.

The row keeps the application id, so that a repeated request gets no second receipt, and is answered as a conflict.
"""

from typing import Final

from services.intake.applications.repository import APPLICATIONS
from services.intake.applications.version_repository import VERSIONS
from services.intake.papers.repository import PAPERS
from services.intake.rules.states import Status
from shared.contracts import PersonErasureRequested
from shared.erasure import KnownNames
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork

PERSON_STORES: Final = (APPLICATIONS, VERSIONS, PAPERS)
_NOTHING: Final = "0" * 64
"""Hash in place of an erased one: no request and no proof has it."""


class IntakePeople:
    """Count and delete what intake holds of one applicant."""

    def __init__(self, store: Store) -> None:
        self._applications, self._versions = store.db[APPLICATIONS], store.db[VERSIONS]
        self._papers = store.db[PAPERS]

    async def close(self, request: PersonErasureRequested, uow: UnitOfWork) -> KnownNames:
        """Show the application to nobody any more, and take no version of it, from this transaction on."""
        known = {"campaign": request.campaign, "receipt": request.receipt}
        change = {"$set": {"status": Status.ERASED}, "$unset": {"pending_since": ""}}
        document = await self._applications.find_one_and_update(known, change, {"_id": 1}, session=uow.session)
        return KnownNames(frozenset({request.receipt} if document is None else {request.receipt, document["_id"]}))

    async def count(self, campaign: CampaignId, names: frozenset[str]) -> dict[str, int]:
        """Return the number of applications and papers with content, and of versions."""
        versions = {"campaign": campaign, "application_id": {"$in": sorted(names)}}
        return {
            APPLICATIONS: await self._applications.count_documents(_with_content(campaign, names)),
            VERSIONS: await self._versions.count_documents(versions),
            PAPERS: await self._papers.count_documents(_with_content(campaign, names)),
        }

    async def delete(self, campaign: CampaignId, names: frozenset[str]) -> None:
        """Empty the application and the paper that gave it its receipt; delete its versions. Safe to repeat."""
        about, empty = _with_content(campaign, names), {"fingerprint": _NOTHING, "document": ""}
        of_application = {"proof_sha256": _NOTHING, "reasons": [], "revision": 0, "status": Status.ERASED}
        await self._applications.update_one(about, {"$set": {**empty, **of_application}})
        await self._papers.update_one(about, {"$set": empty})
        await self._versions.delete_many({"campaign": campaign, "application_id": {"$in": sorted(names)}})


def _with_content(campaign: CampaignId, names: frozenset[str]) -> JsonObject:
    return {"campaign": campaign, "receipt": {"$in": sorted(names)}, "document": {"$ne": ""}}
