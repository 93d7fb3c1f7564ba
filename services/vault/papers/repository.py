"""Store papers: encrypted like identities, under a data key of their own ← the campaign's key (R-C8, R-C9).

A document of the database holds 16 MB at most; a paper has 8 MiB.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal
from services.vault.papers.rules.looks import Outcome
from services.vault.papers.rules.states import UNSETTLED, PaperState
from shared.contracts import PaperReceived
from shared.ids import ApplicationId, CampaignId, PaperId, Receipt, Serial
from shared.paper_files import FileFacts, Kind
from shared.storage import Collection, Index, Store, UnitOfWork

COLLECTION: Final = "papers"

_WITHOUT_FILE: Final = {"wrapped_key": 0, "ciphertext": 0}


@dataclass(frozen=True)
class StoredPaper:
    """A paper and its state. `sealed` is None if it could not be opened, or if it was read for a list."""

    paper_id: PaperId
    campaign: CampaignId
    receipt: Receipt
    channel: Literal["fax", "post"]
    serial: Serial
    received_at: datetime
    taken_at: datetime
    state: PaperState
    reason: str | None = None
    kind: Kind | None = None
    pages: int | None = None
    sealed: Sealed | None = None
    application_ids: tuple[ApplicationId, ...] = ()

    @classmethod
    def encrypt(
        cls,
        keys: CampaignKeys,
        event: PaperReceived,
        *,
        state: PaperState,
        taken_at: datetime,
        content: bytes | None,
        facts: FileFacts | None = None,
        reason: str | None = None,
    ) -> Self:
        """Encrypt a received paper under a fresh data key; `content` is None if it could not be opened."""
        sealed = None if content is None else seal(keys.wrapping, content, bound_to(event.campaign, event.paper_id))
        return cls(
            paper_id=event.paper_id,
            campaign=event.campaign,
            receipt=event.receipt,
            channel=event.channel,
            serial=event.serial,
            received_at=event.received_at,
            taken_at=taken_at,
            state=state,
            reason=reason,
            kind=facts.kind if facts else None,
            pages=facts.pages if facts else None,
            sealed=sealed,
        )

    def decrypt(self, keys: CampaignKeys) -> bytes:
        """Return the file. Raises NotDecryptableError; ValueError for a paper that has none."""
        if self.sealed is None:
            raise ValueError("this paper has no file")
        return bytes(unseal(keys.wrapping, self.sealed, bound_to(self.campaign, self.paper_id)))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection, with or without its file."""
        ciphertext = document.get("ciphertext")
        return cls(
            paper_id=PaperId(document["_id"]),
            campaign=CampaignId(document["campaign"]),
            receipt=Receipt(document["receipt"]),
            channel=document["channel"],
            serial=Serial(document["serial"]),
            received_at=document["received_at"],
            taken_at=document["taken_at"],
            state=PaperState(document["state"]),
            reason=document["reason"],
            kind=Kind(document["kind"]) if document["kind"] else None,
            pages=document["pages"],
            sealed=Sealed(document["wrapped_key"], ciphertext) if ciphertext is not None else None,
            application_ids=tuple(document["application_ids"]),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert."""
        return {
            "_id": self.paper_id,
            "campaign": self.campaign,
            "receipt": self.receipt,
            "channel": self.channel,
            "serial": self.serial,
            "received_at": self.received_at,
            "taken_at": self.taken_at,
            "state": self.state.value,
            "reason": self.reason,
            "kind": self.kind.value if self.kind else None,
            "pages": self.pages,
            "wrapped_key": self.sealed.wrapped_key if self.sealed else None,
            "ciphertext": self.sealed.ciphertext if self.sealed else None,
            "application_ids": list(self.application_ids),
        }


@dataclass(frozen=True)
class SettledPaper:
    """State of a paper and its applications. `digest`: keyed hash of the settlement; None before it."""

    state: PaperState
    application_ids: tuple[ApplicationId, ...]
    digest: str | None


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    text = {"bsonType": "string"}
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "receipt", "channel", "serial", "received_at", "taken_at", "state"],
        "properties": {
            "_id": text,
            "campaign": text,
            "receipt": text,
            "channel": {"enum": ["fax", "post"]},
            "serial": {"bsonType": "string", "pattern": "^[A-Za-z0-9-]{1,32}$"},
            "received_at": {"bsonType": "date"},
            "taken_at": {"bsonType": "date"},
            "state": {"enum": [state.value for state in PaperState]},
            "reason": {"bsonType": ["string", "null"], "pattern": "^[a-z][a-z-]{1,40}$"},
            "kind": {"bsonType": ["string", "null"]},
            "pages": {"bsonType": ["int", "null"]},
            "wrapped_key": {"bsonType": ["binData", "null"]},
            "ciphertext": {"bsonType": ["binData", "null"]},
            "application_ids": {"bsonType": "array", "items": text},
            "settled_by": text,
            "settlement": text,
            "settled_at": {"bsonType": "date"},
            "outcome": {"enum": [outcome.value for outcome in Outcome]},
        },
        "additionalProperties": False,
    }
    indexes = (Index((("campaign", 1), ("taken_at", 1))), Index("application_ids"))
    return [Collection(COLLECTION, schema, indexes)]


def bound_to(campaign: CampaignId, paper_id: PaperId) -> str:
    """Return the associated data of a paper's ciphertext: under another id it does not open."""
    return f"kuji/paper/1\x00{campaign}\x00{paper_id}"


class PaperRepository:
    """Read and write papers."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def is_known(self, uow: UnitOfWork, paper_id: PaperId) -> bool:
        """Return whether the vault has this paper already."""
        return await self._documents.find_one({"_id": paper_id}, {"_id": 1}, session=uow.session) is not None

    async def insert(self, uow: UnitOfWork, paper: StoredPaper) -> None:
        """Insert a paper within the unit of work."""
        await self._documents.insert_one(paper.to_document(), session=uow.session)

    async def papers(self, campaign: CampaignId) -> list[StoredPaper]:
        """Return all papers of the campaign without their files, the oldest first."""
        found = self._documents.find({"campaign": campaign}, _WITHOUT_FILE).sort([("taken_at", 1), ("_id", 1)])
        return [StoredPaper.from_document(document) async for document in found]

    async def of_application(self, application_id: ApplicationId) -> list[StoredPaper]:
        """Return the paper from which an application was keyed, without its file, in a list of one or none."""
        found = self._documents.find({"application_ids": application_id}, _WITHOUT_FILE)
        return [StoredPaper.from_document(document) async for document in found]

    async def unsettled(self, campaign: CampaignId) -> list[StoredPaper]:
        """Return the papers that need a handler, without their files, the oldest first."""
        query = {"campaign": campaign, "state": {"$in": [state.value for state in UNSETTLED]}}
        found = self._documents.find(query, _WITHOUT_FILE).sort([("taken_at", 1), ("_id", 1)])
        return [StoredPaper.from_document(document) async for document in found]

    async def outcomes(self, campaign: CampaignId) -> dict[Outcome, int]:
        """Return how many papers were settled in each way."""
        steps: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign, "outcome": {"$exists": True}}},
            {"$group": {"_id": "$outcome", "papers": {"$sum": 1}}},
        ]
        return {Outcome(one["_id"]): one["papers"] async for one in self._documents.aggregate(steps)}

    async def came_and_settled(self, campaign: CampaignId, since: datetime) -> tuple[int, int]:
        """Return how many papers came, and how many were settled, since then."""
        came = await self._documents.count_documents({"campaign": campaign, "taken_at": {"$gte": since}})
        settled = await self._documents.count_documents({"campaign": campaign, "settled_at": {"$gte": since}})
        return came, settled

    async def load(self, campaign: CampaignId, paper_id: PaperId) -> StoredPaper | None:
        """Return a paper with its file; None if the campaign has no such paper."""
        found = await self._documents.find_one({"_id": paper_id, "campaign": campaign})
        return StoredPaper.from_document(found) if found else None

    async def find(self, campaign: CampaignId, paper_id: PaperId, uow: UnitOfWork | None = None) -> StoredPaper | None:
        """Return a paper without its file; None if the campaign has no such paper."""
        query, session = {"_id": paper_id, "campaign": campaign}, uow.session if uow else None
        found = await self._documents.find_one(query, _WITHOUT_FILE, session=session)
        return StoredPaper.from_document(found) if found else None

    async def settle(
        self, uow: UnitOfWork, paper_id: PaperId, settled: SettledPaper, *, settled_by: str, at: datetime,
        outcome: Outcome, reason: str | None,
    ) -> None:  # fmt: skip
        """Write a handler's settlement. Of two rivals one transaction fails and starts over."""
        change = {
            "state": settled.state.value,
            "application_ids": list(settled.application_ids),
            "settlement": settled.digest,
            "settled_by": settled_by,
            "settled_at": at,
            "outcome": outcome.value,
        }
        change |= {} if reason is None else {"reason": reason}
        await self._documents.update_one({"_id": paper_id}, {"$set": change}, session=uow.session)

    async def settled(self, uow: UnitOfWork, campaign: CampaignId, paper_id: PaperId) -> SettledPaper | None:
        """Return state and settlement of a paper; None if the campaign has no such paper."""
        query = {"_id": paper_id, "campaign": campaign}
        found = await self._documents.find_one(query, _WITHOUT_FILE, session=uow.session)
        if found is None:
            return None
        return SettledPaper(PaperState(found["state"]), tuple(found["application_ids"]), found.get("settlement"))
