"""Store drafts: applications keyed from a paper, until intake has given them receipt numbers. Encrypted (R-C9)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal, wipe
from shared.codes import Code
from shared.ids import ApplicationId, CampaignId, PaperId
from shared.json_types import JsonObject
from shared.storage import Collection, Index, Store, UnitOfWork

COLLECTION: Final = "drafts"


@dataclass(frozen=True)
class Draft:
    """Keyed application in the clear: the content of its form, and the code that the vault made."""

    application_id: ApplicationId
    form: JsonObject = field(repr=False)
    code: Code = field(repr=False)


@dataclass(frozen=True)
class StoredDraft:
    """A draft at rest. `position` counts the applications of a paper from 0."""

    application_id: ApplicationId
    campaign: CampaignId
    paper_id: PaperId
    position: int
    sealed: Sealed

    @classmethod
    def encrypt(cls, keys: CampaignKeys, campaign: CampaignId, paper_id: PaperId, position: int, draft: Draft) -> Self:
        """Encrypt a draft under a fresh data key."""
        plaintext = json.dumps({"form": draft.form, "code": draft.code}, ensure_ascii=False).encode("utf-8")
        sealed = seal(keys.wrapping, plaintext, bound_to(campaign, draft.application_id))
        return cls(draft.application_id, campaign, paper_id, position, sealed)

    def decrypt(self, keys: CampaignKeys) -> Draft:
        """Return the draft. Raises NotDecryptableError."""
        plaintext = unseal(keys.wrapping, self.sealed, bound_to(self.campaign, self.application_id))
        try:
            members = json.loads(plaintext)
        finally:
            wipe(plaintext)
        return Draft(self.application_id, members["form"], Code(members["code"]))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(
            application_id=ApplicationId(document["_id"]),
            campaign=CampaignId(document["campaign"]),
            paper_id=PaperId(document["paper_id"]),
            position=document["position"],
            sealed=Sealed(document["wrapped_key"], document["ciphertext"]),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert; its personal part is ciphertext."""
        return {
            "_id": self.application_id,
            "campaign": self.campaign,
            "paper_id": self.paper_id,
            "position": self.position,
            "wrapped_key": self.sealed.wrapped_key,
            "ciphertext": self.sealed.ciphertext,
        }


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    properties = {
        **{name: {"bsonType": "string"} for name in ("_id", "campaign", "paper_id")},
        "position": {"bsonType": "int", "minimum": 0},
        **{name: {"bsonType": "binData"} for name in ("wrapped_key", "ciphertext")},
    }
    schema = {
        "bsonType": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"), Index("paper_id")))]


def bound_to(campaign: CampaignId, application_id: ApplicationId) -> str:
    """Return the associated data of a draft's ciphertext: under another id it does not open."""
    return f"kuji/draft/2\x00{campaign}\x00{application_id}"


class DraftRepository:
    """Read and write drafts within a unit of work."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def insert(self, uow: UnitOfWork, drafts: Sequence[StoredDraft]) -> None:
        """Insert the drafts of one paper."""
        await self._documents.insert_many([draft.to_document() for draft in drafts], session=uow.session)

    async def of_paper(self, uow: UnitOfWork, campaign: CampaignId, paper_id: PaperId) -> list[StoredDraft]:
        """Return the drafts of a paper, in order; none after they became applications."""
        query = {"paper_id": paper_id, "campaign": campaign}
        found = self._documents.find(query, session=uow.session).sort("position", 1)
        return [StoredDraft.from_document(document) async for document in found]

    async def remove(self, uow: UnitOfWork, paper_id: PaperId) -> None:
        """Delete the drafts of a paper."""
        await self._documents.delete_many({"paper_id": paper_id}, session=uow.session)
