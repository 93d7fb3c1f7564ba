"""Mix papers of known content into the pool: they measure each keyer, are never applications and never drawn.

The office writes them by hand for invented persons and stores them here. No message is published about them, so intake
and the lottery know nothing of them. They have a collection of their own, so nothing that counts papers counts them.
"""

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal
from services.vault.papers.counts_repository import CountsRepository
from services.vault.papers.repository import StoredPaper
from services.vault.papers.repository import bound_to as paper_bound_to
from services.vault.papers.rules.keyed_content import KeyedContent
from services.vault.papers.rules.states import PaperState
from shared.ids import CampaignId, PaperId, Receipt, Serial, new_application_id
from shared.paper_files import FileFacts
from shared.storage import Collection as StoredCollection
from shared.storage import Index, Store, UnitOfWork

COLLECTION: Final = "seeded_papers"
SHARE: Final = 40
"""One in so many papers that a person gets is a seeded one, as long as there is one that the person has not keyed."""

_WITHOUT_FILE: Final = {"wrapped_key": 0, "ciphertext": 0}
_NO_RECEIPT: Final = Receipt("")


def seeded_id(campaign: CampaignId, request: uuid.UUID | None) -> PaperId:
    """Return the id of the paper that a request stores: the same for a repeated one, and never one that was chosen."""
    if request is None:
        return PaperId(new_application_id())
    named = b"\0".join((b"kuji/seeded-id/1", campaign.encode(), request.bytes))
    return PaperId(str(uuid.UUID(bytes=hashlib.sha256(named).digest()[:16], version=4)))


def is_one_in_share() -> bool:
    """Return True once in `SHARE` times, by the system's generator: no keyer can foresee it."""
    return secrets.randbelow(SHARE) == 0


@dataclass(frozen=True)
class SeededPaper:
    """A paper of known content, with or without its file. `keyed_by`: people who keyed it."""

    paper: StoredPaper
    known: Sealed
    keyed_by: tuple[str, ...]

    @classmethod
    def encrypt(
        cls, keys: CampaignKeys, campaign: CampaignId, paper_id: PaperId, channel: Literal["fax", "post"],
        serial: Serial, at: datetime, content: bytes, facts: FileFacts, known: KeyedContent,
    ) -> Self:  # fmt: skip
        """Encrypt file and content, each under a data key of its own."""
        paper = StoredPaper(
            paper_id, campaign, _NO_RECEIPT, channel, serial, received_at=at, taken_at=at, state=PaperState.WAITING,
            kind=facts.kind, pages=facts.pages,
            sealed=seal(keys.wrapping, content, paper_bound_to(campaign, paper_id)),
        )  # fmt: skip
        text = json.dumps(known.to_document(), ensure_ascii=False).encode("utf-8")
        return cls(paper, seal(keys.wrapping, text, _bound_to(campaign, paper_id)), ())

    def decrypt_known(self, keys: CampaignKeys) -> KeyedContent:
        """Return what stands on the paper. Raises NotDecryptableError."""
        text = unseal(keys.wrapping, self.known, _bound_to(self.paper.campaign, self.paper.paper_id))
        return KeyedContent.from_document(json.loads(text))

    def repeats(self, other: Self, keys: CampaignKeys) -> bool:
        """Return True if both have the same file and content. Raises NotDecryptableError."""
        alike = (self.paper.channel, self.paper.serial) == (other.paper.channel, other.paper.serial)
        return (
            alike
            and self.decrypt_known(keys) == other.decrypt_known(keys)
            and self.paper.decrypt(keys) == other.paper.decrypt(keys)
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        paper = StoredPaper.from_document({**document["paper"], "_id": document["_id"], **_file_of(document)})
        return cls(paper, Sealed(document["known_key"], document["known"]), tuple(document["keyed_by"]))

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert."""
        paper = self.paper.to_document()
        file = {name: paper.pop(name) for name in ("wrapped_key", "ciphertext")}
        own = {"_id": paper.pop("_id"), "campaign": self.paper.campaign, "keyed_by": list(self.keyed_by)}
        return {**own, **file, "paper": paper, "known_key": self.known.wrapped_key, "known": self.known.ciphertext}


def collections() -> list[StoredCollection]:
    """Return the collections to prepare."""
    text, data = {"bsonType": "string"}, {"bsonType": "binData"}
    properties = {
        **dict.fromkeys(("_id", "campaign"), text),
        **dict.fromkeys(("wrapped_key", "ciphertext", "known_key", "known"), data),
        "keyed_by": {"bsonType": "array", "items": text},
        "paper": {"bsonType": "object"},
    }
    schema = {
        "bsonType": "object", "required": list(properties), "properties": properties, "additionalProperties": False,
    }  # fmt: skip
    return [StoredCollection(COLLECTION, schema, (Index("campaign"),))]


class SeededPapers:
    """Store seeded papers, choose one for a person, and count a keying against what stands on the paper.

    `is_due`: says whether a person who asks for a paper gets a seeded one.
    """

    def __init__(self, store: Store, is_due: Callable[[], bool] = is_one_in_share) -> None:
        self._documents, self._counts, self.is_due = store.db[COLLECTION], CountsRepository(store), is_due

    async def insert(self, uow: UnitOfWork, seeded: SeededPaper) -> None:
        """Insert a seeded paper."""
        await self._documents.insert_one(seeded.to_document(), session=uow.session)

    async def choose(
        self,
        campaign: CampaignId,
        person: str,
        own: Collection[PaperId],
        held: Collection[PaperId],
        *,
        has_work: bool,
    ) -> StoredPaper | None:
        """Return a paper that the person has not keyed, without its file: of `own`, or, if one is due, a free one."""
        is_due = has_work and self.is_due()
        found = self._documents.find({"campaign": campaign, "keyed_by": {"$ne": person}}, _WITHOUT_FILE).sort("_id", 1)
        papers = [SeededPaper.from_document(document).paper async for document in found]
        again = [paper for paper in papers if paper.paper_id in own]
        free = [paper for paper in papers if is_due and paper.paper_id not in held]
        return next(iter((*again, *free)), None)

    async def find(self, campaign: CampaignId, paper_id: PaperId) -> StoredPaper | None:
        """Return a seeded paper without its file; None if the campaign has no such one."""
        found = await self._documents.find_one({"_id": paper_id, "campaign": campaign}, _WITHOUT_FILE)
        return SeededPaper.from_document(found).paper if found else None

    async def load(self, campaign: CampaignId, paper_id: PaperId) -> StoredPaper | None:
        """Return a seeded paper with its file; None if the campaign has no such one."""
        found = await self._documents.find_one({"_id": paper_id, "campaign": campaign})
        return SeededPaper.from_document(found).paper if found else None

    async def whole(self, campaign: CampaignId, paper_id: PaperId) -> SeededPaper | None:
        """Return a seeded paper with its file and its known content; None if the campaign has no such one."""
        found = await self._documents.find_one({"_id": paper_id, "campaign": campaign})
        return SeededPaper.from_document(found) if found else None

    async def all(self, campaign: CampaignId) -> list[SeededPaper]:
        """Return the seeded papers without their files, the oldest first."""
        found = self._documents.find({"campaign": campaign}, _WITHOUT_FILE).sort([("paper.taken_at", 1), ("_id", 1)])
        return [SeededPaper.from_document(document) async for document in found]

    async def delete(self, uow: UnitOfWork, campaign: CampaignId, paper_id: PaperId) -> bool:
        """Delete a seeded paper that nobody has keyed; return False otherwise."""
        query = {"_id": paper_id, "campaign": campaign, "keyed_by": []}
        return bool((await self._documents.delete_one(query, session=uow.session)).deleted_count)

    async def count(self, campaign: CampaignId) -> int:
        """Return how many seeded papers the campaign has."""
        return await self._documents.count_documents({"campaign": campaign})

    async def measure(
        self, uow: UnitOfWork, keys: CampaignKeys, campaign: CampaignId, paper_id: PaperId, person: str,
        keyed: KeyedContent,
    ) -> bool:  # fmt: skip
        """Count a person's keying against the known content, once. Return False if the paper is no seeded one."""
        query = {"_id": paper_id, "campaign": campaign}
        found = await self._documents.find_one(query, _WITHOUT_FILE, session=uow.session)
        if found is None:
            return False
        seeded = SeededPaper.from_document(found)
        if person not in seeded.keyed_by:
            await self._documents.update_one(query, {"$push": {"keyed_by": person}}, session=uow.session)
            await self._counts.add(uow, campaign, {person: keyed}, seeded.decrypt_known(keys), kind="tests")
        return True


def _file_of(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document.get(name) for name in ("wrapped_key", "ciphertext")}


def _bound_to(campaign: CampaignId, paper_id: PaperId) -> str:
    """Return the associated data: under another paper's id the known content does not open."""
    return f"kuji/seeded/1\x00{campaign}\x00{paper_id}"
