"""Store applications: states, choices and verdicts by application id, without the person."""

from collections import Counter
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


@dataclass(frozen=True)
class Judged:
    """Application of a person with a verdict, of which `revision` is the number."""

    token: Token
    state: ApplicationState
    revision: int


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    text, optional, whole = (
        {"bsonType": "string"},
        {"bsonType": ["string", "null"]},
        {"bsonType": ["int", "long"], "minimum": 1},
    )
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
        Index("token"),
    )
    return [Collection(COLLECTION, schema, indexes, retired=("follows_1",))]


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

    async def held(self, campaign: CampaignId, limit: int = 0) -> list[StoredApplication]:
        """Return the applications that wait for a decision, the longest waiting first; `limit` 0: all."""
        query = {"campaign": campaign, "state": ApplicationState.HELD.value}
        found = self._documents.find(query).sort([("received_at", 1), ("_id", 1)]).limit(limit)
        return [StoredApplication.from_document(document) async for document in found]

    async def count_held(self, campaign: CampaignId) -> int:
        """Count the applications that wait for a decision."""
        return int(await self._documents.count_documents({"campaign": campaign, "state": ApplicationState.HELD.value}))

    async def by_tokens(self, tokens: Sequence[Token], uow: UnitOfWork | None = None) -> dict[Token, StoredApplication]:
        """Return the applications of these tokens; unknown and erased tokens are absent."""
        found = self._documents.find({"token": {"$in": list(tokens)}}, session=uow.session if uow else None)
        applications = [StoredApplication.from_document(document) async for document in found]
        return {application.token: application for application in applications if application.token is not None}

    async def find(self, application_id: ApplicationId) -> StoredApplication | None:
        """Return the application of any campaign; None if it is unknown."""
        document = await self._documents.find_one({"_id": application_id})
        return None if document is None else StoredApplication.from_document(document)

    async def of_ids(self, ids: AnyCollection[ApplicationId], uow: UnitOfWork | None = None) -> list[StoredApplication]:
        """Return the applications of these ids; unknown ones are absent."""
        query = {"_id": {"$in": list(ids)}}
        return await (self._find(uow, query) if uow else self._list(query))

    async def left_out(self, campaign: CampaignId, uow: UnitOfWork) -> list[StoredApplication]:
        """Return the applications that are not in the draw for another one of the person, or for an open doubt."""
        gave_way = [ApplicationState.SUPERSEDED.value, ApplicationState.REJECTED.value]
        query = {
            "campaign": campaign,
            "$or": [{"state": {"$in": gave_way}, "match": {"$ne": None}}, {"state": ApplicationState.HELD.value}],
        }
        found = await self._find(uow, query)
        return [one for one in found if one.gave_way or one.state is ApplicationState.HELD]

    async def judged(self, campaign: CampaignId) -> list[Judged]:
        """Return the applications that are in order, held, or gave way to another one, those with a person."""
        open_states = [ApplicationState.ACCEPTED.value, ApplicationState.HELD.value, ApplicationState.SUPERSEDED.value]
        gave_way = {"state": ApplicationState.REJECTED.value, "match": {"$ne": None}}
        query = {"campaign": campaign, "token": {"$type": "string"}, "$or": [{"state": {"$in": open_states}}, gave_way]}
        found = self._documents.find(query, {"token": 1, "state": 1, "revision": 1})
        return [Judged(Token(row["token"]), ApplicationState(row["state"]), row["revision"]) async for row in found]

    async def raise_revisions(self, uow: UnitOfWork, ids: AnyCollection[ApplicationId]) -> None:
        """Raise the revisions by one, because something more is published of these applications."""
        await self._documents.update_many({"_id": {"$in": list(ids)}}, {"$inc": {"revision": 1}}, session=uow.session)

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

    async def listed(self, campaign: CampaignId) -> list[tuple[Receipt, int, int]]:
        """Return receipt number, version and revision of the applications that are accepted or held."""
        states = [ApplicationState.ACCEPTED.value, ApplicationState.HELD.value]
        query, members = {"campaign": campaign, "state": {"$in": states}}, {"receipt": 1, "version": 1, "revision": 1}
        found = self._documents.find(query, members)
        return [(Receipt(row["receipt"]), row["version"], row["revision"]) async for row in found]

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
        """Count the campaign's applications, all counts in one pass."""
        applications, channels, reasons = Counter[str](), Counter[str](), Counter[str]()
        key = {name: f"${name}" for name in ("state", "channel", "reasons")}
        groups: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign}},
            {"$group": {"_id": key, "count": {"$sum": 1}}},
        ]
        async for row in self._documents.aggregate(groups):
            same, count = row["_id"], int(row["count"])
            applications[same["state"]] += count
            channels[same["channel"]] += count
            for reason in same["reasons"]:
                reasons[reason] += count
        return Summary(dict(applications), dict(channels), dict(reasons))

    async def _find(self, uow: UnitOfWork, query: Mapping[str, Any]) -> list[StoredApplication]:
        found = self._documents.find(query, session=uow.session)
        return [StoredApplication.from_document(document) async for document in found]
