"""Register what people ask for about their own data: 開示・訂正・利用停止・消去, each within 30 days."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from services.vault.applications.rules.subject_request import TRANSITIONS, IdentityCheck, RequestKind, RequestState
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import Collection, Index, Store, UnitOfWork

COLLECTION: Final = "subject_requests"


@dataclass(frozen=True)
class Step:
    """One state of a request: who brought it there, when, and the reason code of a refusal."""

    state: RequestState
    actor: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True)
class SubjectRequest:
    """A request. `due`: end of the 30 days after it was received."""

    id: str
    campaign: CampaignId
    application_id: ApplicationId
    receipt: Receipt
    kind: RequestKind
    identity: IdentityCheck
    state: RequestState
    due: datetime
    steps: tuple[Step, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(
            id=document["_id"],
            campaign=CampaignId(document["campaign"]),
            application_id=ApplicationId(document["application_id"]),
            receipt=Receipt(document["receipt"]),
            kind=RequestKind(document["kind"]),
            identity=IdentityCheck(document["identity"]),
            state=RequestState(document["state"]),
            due=document["due"],
            steps=tuple(
                Step(RequestState(step["state"]), step["actor"], step["at"], step["reason"])
                for step in document["steps"]
            ),
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert."""
        return {
            "_id": self.id,
            "campaign": self.campaign,
            "application_id": self.application_id,
            "receipt": self.receipt,
            "kind": self.kind.value,
            "identity": self.identity.value,
            "state": self.state.value,
            "due": self.due,
            "steps": [vars(step) | {"state": step.state.value} for step in self.steps],
        }


def new_request_id() -> str:
    """Return a random id."""
    return f"r-{secrets.token_hex(10)}"


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    names = ("_id", "campaign", "application_id", "receipt")
    schema = {
        "bsonType": "object",
        "required": [*names, "kind", "identity", "state", "due", "steps"],
        "properties": {
            **{name: {"bsonType": "string"} for name in names},
            "kind": {"enum": [kind.value for kind in RequestKind]},
            "identity": {"enum": [check.value for check in IdentityCheck]},
            "state": {"enum": [state.value for state in RequestState]},
            "due": {"bsonType": "date"},
            "steps": {"bsonType": "array"},
        },
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"), Index((("due", 1),)), Index("application_id")))]


class SubjectRequestRepository:
    """Read and write the register."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def insert(self, request: SubjectRequest) -> None:
        """Insert a request."""
        await self._documents.insert_one(request.to_document())

    async def find(self, request_id: str) -> SubjectRequest | None:
        """Return a request; None for an unknown id."""
        document = await self._documents.find_one({"_id": request_id})
        return None if document is None else SubjectRequest.from_document(document)

    async def all(self) -> list[SubjectRequest]:
        """Return all requests, the one that is due first at the head."""
        return [
            SubjectRequest.from_document(one) async for one in self._documents.find().sort([("due", 1), ("_id", 1)])
        ]

    async def advance(self, request_id: str, step: Step, uow: UnitOfWork | None = None) -> bool:
        """Bring a request to its next state. Return False if the table does not allow that any more."""
        selected = {"_id": request_id, "state": {"$in": TRANSITIONS.before(step.state)}}
        change = {
            "$set": {"state": step.state.value},
            "$push": {"steps": vars(step) | {"state": step.state.value}},
        }
        changed = await self._documents.update_one(selected, change, session=uow.session if uow else None)
        return changed.modified_count == 1
