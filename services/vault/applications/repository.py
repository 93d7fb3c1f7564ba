"""Store applications: states, choices and verdicts by application id, without the person."""

from collections.abc import Collection as AnyCollection
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.vault.applications.rules.states import ApplicationState
from services.vault.applications.stored import StoredApplication
from shared.codes import EntryId
from shared.ids import ApplicationId, CampaignId, Receipt, Token
from shared.storage import Collection, Index, Store, UnitOfWork

COLLECTION: Final = "applications"

_WITH_CONTENT: Final = {"keys.copy": {"$gt": ""}}
"""Filter of the index of contents; a query has it, too, so that the index serves it."""


@dataclass(frozen=True)
class Summary:
    """Counts of a campaign's applications by state, by arrival channel and by reason of rejection."""

    applications: Mapping[str, int]
    channels: Mapping[str, int]
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class Content:
    """Content of an application that stands for all with it: keyed hash, and the token of its person."""

    name: str
    token: Token


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    text, optional, whole = {"bsonType": "string"}, {"bsonType": ["string", "null"]}, {"bsonType": "int", "minimum": 1}
    properties = {
        **dict.fromkeys(("_id", "campaign", "receipt"), text),
        **dict.fromkeys(("version", "content_version", "revision"), whole),
        **dict.fromkeys(("token", "entry", "proof_sha256", "mail_domain_class", "decided_by"), optional),
        **{name: {"bsonType": "array"} for name in ("choices", "refused", "reasons", "doubts")},
        **{name: {"bsonType": "date"} for name in ("received_at", "arrived_at")},
        "channel": {"enum": ["web", "fax", "post"]},
        "state": {"enum": [state.value for state in ApplicationState]},
        "contact": {"enum": ["mail", "post", None]},
        **{name: {"bsonType": ["object", "null"]} for name in ("match", "own_decision")},
        **{name: {"bsonType": "object"} for name in ("keys", "blocks")},
    }
    schema = {
        "bsonType": "object",
        "required": list(properties),
        "properties": {**properties, "versions": {"bsonType": "array"}, "eligible": {"bsonType": "array"}},
        "additionalProperties": False,
    }
    indexes = (
        Index((("campaign", 1), ("state", 1))),
        Index((("campaign", 1), ("receipt", 1))),
        Index("entry", unique=True, where={"entry": {"$gt": ""}}),
        Index("keys.copy", where=_WITH_CONTENT),
    )
    return [Collection(COLLECTION, schema, indexes, retired=("token_1", "follows_1"))]


class ApplicationRepository:
    """Read and write applications."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def by_ids(
        self, uow: UnitOfWork, campaign: CampaignId, ids: AnyCollection[ApplicationId]
    ) -> dict[ApplicationId, StoredApplication]:
        """Return the applications of these ids; unknown ones are absent."""
        rows = await self._find(uow, {"_id": {"$in": list(ids)}, "campaign": campaign})
        return {row.application_id: row for row in rows}

    @staticmethod
    def contents_query(contents: AnyCollection[str]) -> dict[str, Any]:
        """Return the query of applications with one of these contents."""
        return {"keys.copy": {"$in": list(contents), "$gt": ""}}

    async def taken_entries(self, uow: UnitOfWork, entries: AnyCollection[EntryId]) -> dict[EntryId, ApplicationId]:
        """Return the application of each of these entry ids that is taken."""
        query, members = {"entry": {"$in": list(entries)}}, {"entry": 1}
        return {row["entry"]: row["_id"] async for row in self._documents.find(query, members, session=uow.session)}

    async def with_contents(
        self, uow: UnitOfWork, campaign: CampaignId, contents: AnyCollection[str], *, copies: bool
    ) -> list[StoredApplication]:
        """Return the applications with one of these contents; `copies`: also those that gave way to an equal one."""
        if not contents:
            return []
        states: dict[str, Any] = {} if copies else {"state": {"$ne": ApplicationState.SUPERSEDED.value}}
        return await self._find(uow, {**self.contents_query(contents), "campaign": campaign, **states})

    async def insert(self, uow: UnitOfWork, applications: Sequence[StoredApplication]) -> None:
        """Insert judged applications within the unit of work."""
        if applications:
            documents = [application.to_document() for application in applications]
            await self._documents.insert_many(documents, session=uow.session)

    async def replace(self, uow: UnitOfWork, application: StoredApplication) -> None:
        """Write a changed application within the unit of work."""
        document = application.to_document()
        await self._documents.replace_one({"_id": application.application_id}, document, session=uow.session)

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

    async def find(self, application_id: ApplicationId) -> StoredApplication | None:
        """Return the application of any campaign; None if it is unknown."""
        document = await self._documents.find_one({"_id": application_id})
        return None if document is None else StoredApplication.from_document(document)

    async def of_ids(self, ids: AnyCollection[ApplicationId]) -> list[StoredApplication]:
        """Return the applications of these ids, outside a transaction; unknown ones are absent."""
        return await self._list({"_id": {"$in": list(ids)}})

    async def of_contents(self, campaign: CampaignId, contents: AnyCollection[str]) -> list[StoredApplication]:
        """Return the applications with one of these contents, outside a transaction, without exact copies."""
        states = {"state": {"$ne": ApplicationState.SUPERSEDED.value}}
        return await self._list({**self.contents_query(contents), "campaign": campaign, **states})

    async def contents(self, campaign: CampaignId) -> list[Content]:
        """Return the contents of all applications, copies left out."""
        states = {"state": {"$ne": ApplicationState.SUPERSEDED.value}}
        query = {"campaign": campaign, **_WITH_CONTENT, **states}
        found = self._documents.find(query, {"keys.copy": 1, "token": 1})
        return [Content(row["keys"]["copy"], Token(row["token"])) async for row in found if row["token"]]

    async def by_receipt(self, campaign: CampaignId, receipt: Receipt) -> list[StoredApplication]:
        """Return the application with this receipt number, in a list of one or none."""
        return await self._list({"campaign": campaign, "receipt": receipt})

    async def by_entry(self, campaign: CampaignId, prefix: str) -> list[StoredApplication]:
        """Return the applications whose entry id begins so: an entry number is not unique (docs/protocols.md §0)."""
        return await self._list({"entry": {"$gte": prefix, "$lt": f"{prefix}g"}, "campaign": campaign})

    async def _list(self, query: Mapping[str, Any]) -> list[StoredApplication]:
        return [StoredApplication.from_document(document) async for document in self._documents.find(query)]

    async def rejected_tokens(self, campaign: CampaignId) -> set[Token]:
        """Return the tokens of the applications that must be told why they are not in the draw."""
        states = [ApplicationState.REJECTED.value, ApplicationState.WITHDRAWN.value]
        found = self._documents.find({"campaign": campaign, "state": {"$in": states}, "token": {"$type": "string"}})
        rows = [StoredApplication.from_document(document) async for document in found]
        return {row.token for row in rows if row.token is not None and row.own_reasons}

    async def receipts(self, ids: Sequence[ApplicationId]) -> dict[ApplicationId, Receipt]:
        """Return the receipt number of each application."""
        found = self._documents.find({"_id": {"$in": list(ids)}}, {"receipt": 1})
        return {document["_id"]: Receipt(document["receipt"]) async for document in found}

    async def summary(self, campaign: CampaignId) -> Summary:
        """Count the campaign's applications."""
        return Summary(
            applications=await self._counts(campaign, "$state"),
            channels=await self._counts(campaign, "$channel"),
            reasons=await self._counts(campaign, "$reasons", unwind=True),
        )

    async def _find(self, uow: UnitOfWork, query: Mapping[str, Any]) -> list[StoredApplication]:
        found = self._documents.find(query, session=uow.session)
        return [StoredApplication.from_document(document) async for document in found]

    async def _counts(self, campaign: CampaignId, field: str, *, unwind: bool = False) -> dict[str, int]:
        pipeline: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign}},
            *([{"$unwind": field}] if unwind else []),
            {"$group": {"_id": field, "count": {"$sum": 1}}},
        ]
        return {str(row["_id"]): int(row["count"]) async for row in self._documents.aggregate(pipeline)}
