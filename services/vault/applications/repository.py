"""Store applications: states, choices and verdicts by application id, without the person."""

from collections.abc import Collection as AnyCollection
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

from services.vault.applications.rules.states import STATES, ApplicationState
from shared.contracts import Channel, Choice, Refusal
from shared.ids import ApplicationId, CampaignId, Receipt, Token
from shared.storage import Collection, Index, ReturnDocument, Store, UnitOfWork

COLLECTION: Final = "applications"

_PAPER: Final = ("fax", "post")


@dataclass(frozen=True)
class Match:
    """An earlier application that looks like the same person; `kind` is `name-phone` or `name-address`."""

    application_id: ApplicationId
    kind: str


@dataclass(frozen=True)
class StoredApplication:
    """An application and its verdict. `token` is None if the content could not be read: then no person is stored."""

    application_id: ApplicationId
    campaign: CampaignId
    receipt: Receipt
    channel: Channel
    state: ApplicationState
    token: Token | None
    contact: Literal["mail", "post"] | None
    mail_domain_class: str | None
    choices: tuple[Choice, ...]
    refused: tuple[Refusal, ...]
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    match: Match | None
    revision: int
    received_at: datetime

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(
            application_id=ApplicationId(document["_id"]),
            campaign=CampaignId(document["campaign"]),
            receipt=Receipt(document["receipt"]),
            channel=document["channel"],
            state=ApplicationState(document["state"]),
            token=document["token"],
            contact=document["contact"],
            mail_domain_class=document["mail_domain_class"],
            choices=tuple(Choice(**choice) for choice in document["choices"]),
            refused=tuple(Refusal(**refusal) for refusal in document["refused"]),
            reasons=tuple(document["reasons"]),
            doubts=tuple(document["doubts"]),
            match=Match(**document["match"]) if document["match"] else None,
            revision=document["revision"],
            received_at=document["received_at"],
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert."""
        match = self.match
        return {
            "_id": self.application_id,
            "campaign": self.campaign,
            "receipt": self.receipt,
            "channel": self.channel,
            "state": self.state.value,
            "token": self.token,
            "contact": self.contact,
            "mail_domain_class": self.mail_domain_class,
            "choices": [choice.model_dump() for choice in self.choices],
            "refused": [refusal.model_dump() for refusal in self.refused],
            "reasons": list(self.reasons),
            "doubts": list(self.doubts),
            "match": {"application_id": match.application_id, "kind": match.kind} if match else None,
            "revision": self.revision,
            "received_at": self.received_at,
        }


@dataclass(frozen=True)
class Summary:
    """Counts of a campaign's applications by state, by arrival channel and by reason of rejection."""

    applications: Mapping[str, int]
    channels: Mapping[str, int]
    reasons: Mapping[str, int]


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "receipt", "channel", "state", "revision", "received_at"],
        "properties": {
            "_id": {"bsonType": "string"},
            "campaign": {"bsonType": "string"},
            "receipt": {"bsonType": "string"},
            "channel": {"enum": ["web", *_PAPER]},
            "state": {"enum": [state.value for state in ApplicationState]},
            "token": {"bsonType": ["string", "null"]},
            "contact": {"enum": ["mail", "post", None]},
            "mail_domain_class": {"bsonType": ["string", "null"]},
            "choices": {"bsonType": "array"},
            "refused": {"bsonType": "array"},
            "reasons": {"bsonType": "array"},
            "doubts": {"bsonType": "array"},
            "match": {"bsonType": ["object", "null"]},
            "revision": {"bsonType": "int", "minimum": 1},
            "received_at": {"bsonType": "date"},
            "decided_by": {"bsonType": "string"},
        },
        "additionalProperties": False,
    }
    by_state = Index((("campaign", 1), ("state", 1)))
    return [Collection(COLLECTION, schema, (by_state,), retired=("token_1",))]


class ApplicationRepository:
    """Read and write applications. A state changes only as the table STATES allows."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def known_ids(self, uow: UnitOfWork, ids: Sequence[ApplicationId]) -> set[ApplicationId]:
        """Return those of `ids` that the vault has judged already; a replay of sealed bytes ends here."""
        cursor = self._documents.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=uow.session)
        return {document["_id"] async for document in cursor}

    async def insert(self, uow: UnitOfWork, applications: Sequence[StoredApplication]) -> None:
        """Insert judged applications within the unit of work."""
        documents = [application.to_document() for application in applications]
        await self._documents.insert_many(documents, session=uow.session)

    async def held(self, campaign: CampaignId) -> list[StoredApplication]:
        """Return the applications that wait for a decision, the longest waiting first."""
        query = {"campaign": campaign, "state": ApplicationState.HELD.value}
        found = self._documents.find(query).sort([("received_at", 1), ("_id", 1)])
        return [StoredApplication.from_document(document) async for document in found]

    async def by_tokens(self, tokens: Sequence[Token], uow: UnitOfWork | None = None) -> dict[Token, StoredApplication]:
        """Return the applications of these tokens; unknown and erased tokens are absent."""
        found = self._documents.find({"token": {"$in": list(tokens)}}, session=uow.session if uow else None)
        applications = [StoredApplication.from_document(document) async for document in found]
        return {application.token: application for application in applications if application.token is not None}

    async def rejected_tokens(self, campaign: CampaignId) -> set[Token]:
        """Return the tokens of the rejected applications of persons."""
        query = {"campaign": campaign, "state": ApplicationState.REJECTED.value, "token": {"$type": "string"}}
        return {Token(document["token"]) async for document in self._documents.find(query, {"token": 1})}

    async def receipts(self, ids: Sequence[ApplicationId]) -> dict[ApplicationId, Receipt]:
        """Return the receipt number of each application."""
        found = self._documents.find({"_id": {"$in": list(ids)}}, {"receipt": 1})
        return {document["_id"]: Receipt(document["receipt"]) async for document in found}

    async def decide(
        self,
        uow: UnitOfWork,
        campaign: CampaignId,
        application_id: ApplicationId,
        state: ApplicationState,
        *,
        reasons: Sequence[str],
        decided_by: str,
    ) -> StoredApplication | None:
        """Write a decision and return the changed application; None if its state allows no such decision."""
        changed = await self._documents.find_one_and_update(
            {"_id": application_id, "campaign": campaign, "state": {"$in": STATES.before(state)}},
            {
                "$set": {"state": state.value, "reasons": list(reasons), "decided_by": decided_by},
                "$inc": {"revision": 1},
            },
            return_document=ReturnDocument.AFTER,
            session=uow.session,
        )
        return StoredApplication.from_document(changed) if changed else None

    async def state(
        self, uow: UnitOfWork, campaign: CampaignId, application_id: ApplicationId
    ) -> ApplicationState | None:
        """Return the state of an application; None if the campaign has no such application."""
        query = {"_id": application_id, "campaign": campaign}
        found = await self._documents.find_one(query, {"state": 1}, session=uow.session)
        return ApplicationState(found["state"]) if found else None

    async def are_paper(self, uow: UnitOfWork, campaign: CampaignId, ids: AnyCollection[ApplicationId]) -> bool:
        """Return whether the vault has each of these applications, as paper of the campaign."""
        query = {"_id": {"$in": list(ids)}, "campaign": campaign, "channel": {"$in": list(_PAPER)}}
        return await self._documents.count_documents(query, session=uow.session) == len(set(ids))

    async def summary(self, campaign: CampaignId) -> Summary:
        """Count the campaign's applications."""
        return Summary(
            applications=await self._counts(campaign, "$state"),
            channels=await self._counts(campaign, "$channel"),
            reasons=await self._counts(campaign, "$reasons", unwind=True),
        )

    async def _counts(self, campaign: CampaignId, field: str, *, unwind: bool = False) -> dict[str, int]:
        pipeline: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign}},
            *([{"$unwind": field}] if unwind else []),
            {"$group": {"_id": field, "count": {"$sum": 1}}},
        ]
        return {str(row["_id"]): int(row["count"]) async for row in self._documents.aggregate(pipeline)}
