"""Store keyings of papers, encrypted (R-C9), the holds of browsers on papers, and counts of keyed values."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal, wipe
from services.vault.papers.rules.keyed_content import KeyedContent
from shared.ids import CampaignId, PaperId
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork

KEYINGS: Final = "keyings"
HOLDS: Final = "paper_holds"


@dataclass(frozen=True)
class StoredKeying:
    """A handler's keying at rest. `order` counts the keyings of a paper from 0."""

    paper_id: PaperId
    campaign: CampaignId
    by: str
    order: int
    at: datetime
    sealed: Sealed

    @classmethod
    def encrypt(
        cls, keys: CampaignKeys, campaign: CampaignId, paper_id: PaperId, by: str, order: int, at: datetime,
        keyed: KeyedContent,
    ) -> Self:  # fmt: skip
        """Encrypt a keying under a fresh data key."""
        plaintext = json.dumps(keyed.to_document(), ensure_ascii=False).encode("utf-8")
        return cls(paper_id, campaign, by, order, at, seal(keys.wrapping, plaintext, bound_to(campaign, paper_id, by)))

    def decrypt(self, keys: CampaignKeys) -> KeyedContent:
        """Return the keying. Raises NotDecryptableError."""
        plaintext = unseal(keys.wrapping, self.sealed, bound_to(self.campaign, self.paper_id, self.by))
        try:
            return KeyedContent.from_document(json.loads(plaintext))
        finally:
            wipe(plaintext)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(
            paper_id=PaperId(document["paper_id"]),
            campaign=CampaignId(document["campaign"]),
            by=document["by"],
            order=document["order"],
            at=document["at"],
            sealed=Sealed(document["wrapped_key"], document["ciphertext"]),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert. Its id keeps one person from keying a paper twice."""
        return {
            "_id": f"{self.paper_id}:{self.by}",
            "paper_id": self.paper_id,
            "campaign": self.campaign,
            "by": self.by,
            "order": self.order,
            "at": self.at,
            "wrapped_key": self.sealed.wrapped_key,
            "ciphertext": self.sealed.ciphertext,
        }


@dataclass(frozen=True)
class Holder:
    """A person's browser. `browser`: the sign-in and the tab; a program that keys has its own name here."""

    person: str
    browser: str


def bound_to(campaign: CampaignId, paper_id: PaperId, by: str) -> str:
    """Return the associated data of a keying's ciphertext: under another paper or person it does not open."""
    return f"kuji/keying/2\x00{campaign}\x00{paper_id}\x00{by}"


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    text, date = {"bsonType": "string"}, {"bsonType": "date"}
    keyings = {
        **dict.fromkeys(("_id", "paper_id", "campaign", "by"), text),
        "order": {"bsonType": "int", "minimum": 0},
        "at": date,
        **{name: {"bsonType": "binData"} for name in ("wrapped_key", "ciphertext")},
    }
    holds = {**dict.fromkeys(("_id", "campaign", "by", "browser"), text), "until": date}
    return [
        Collection(KEYINGS, _schema(keyings), (Index("campaign"), Index("paper_id"))),
        Collection(HOLDS, _schema(holds), (Index("campaign"),)),
    ]


def _schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "bsonType": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


class KeyingRepository:
    """Read and write keyings; their content stays encrypted here."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[KEYINGS]

    async def insert(self, uow: UnitOfWork, keying: StoredKeying) -> None:
        """Insert a keying within the unit of work."""
        await self._documents.insert_one(keying.to_document(), session=uow.session)

    async def of_paper(
        self, campaign: CampaignId, paper_id: PaperId, uow: UnitOfWork | None = None
    ) -> list[StoredKeying]:
        """Return the keyings of a paper, the first one first; none after it was settled."""
        query, session = {"paper_id": paper_id, "campaign": campaign}, uow.session if uow else None
        found = self._documents.find(query, session=session).sort("order", 1)
        return [StoredKeying.from_document(document) async for document in found]

    async def keyers(self, campaign: CampaignId) -> dict[PaperId, list[str]]:
        """Return the people who keyed each paper that is not settled."""
        keyers: dict[PaperId, list[str]] = defaultdict(list)
        async for document in self._documents.find({"campaign": campaign}, {"paper_id": 1, "by": 1}):
            keyers[PaperId(document["paper_id"])].append(document["by"])
        return keyers

    async def count_papers(self, campaign: CampaignId, since: datetime) -> int:
        """Return how many papers that are not settled were keyed since then."""
        found = await self._documents.distinct("paper_id", {"campaign": campaign, "at": {"$gte": since}})
        return len(found)

    async def remove(self, uow: UnitOfWork, paper_id: PaperId) -> None:
        """Delete the keyings of a settled paper."""
        await self._documents.delete_many({"paper_id": paper_id}, session=uow.session)


class HoldRepository:
    """Keep two browsers from holding one paper."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[HOLDS]

    async def active(self, campaign: CampaignId, now: datetime) -> dict[PaperId, Holder]:
        """Return the papers that are held now."""
        found = self._documents.find({"campaign": campaign, "until": {"$gt": now}})
        return {PaperId(one["_id"]): Holder(one["by"], one["browser"]) async for one in found}

    async def take(
        self, campaign: CampaignId, paper_id: PaperId, holder: Holder, now: datetime, until: datetime
    ) -> bool:
        """Hold a paper, or hold it longer. Return False where another browser holds it."""
        own = {"by": holder.person, "browser": holder.browser}
        query = {"_id": paper_id, "$or": [{"until": {"$lte": now}}, own]}
        change = {"$set": {"campaign": campaign, **own, "until": until}}
        try:
            await self._documents.update_one(query, change, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def give_up(self, paper_id: PaperId, holder: Holder, uow: UnitOfWork | None = None) -> bool:
        """Return the paper to the pool; return False if this browser does not hold it."""
        query = {"_id": paper_id, "by": holder.person, "browser": holder.browser}
        deleted = await self._documents.delete_one(query, session=uow.session if uow else None)
        return bool(deleted.deleted_count)
