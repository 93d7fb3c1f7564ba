"""Erasures of people at the vault: one document each. Once certified, only the certificate names the receipt number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from services.vault.closeout.person_names import NAMED
from shared.contracts import PersonErased, StoreErasure
from shared.erasure import PERSON_ERASURES
from shared.ids import CampaignId
from shared.storage import Collection, Index, Store, UnitOfWork

ORDERED, EMPTIED, CERTIFIED = "ordered", "emptied", "certified"
_WITHOUT_FILES: Final = {"certificate": 0, "page": 0}


@dataclass(frozen=True)
class PersonNames:
    """Ids by which the vault knows a person. `content`: keyed hash of the content, None where another one has it, too.

    `papers`: papers with this person only.
    """

    receipt: str
    application_id: str | None = None
    token: str | None = None
    entry: str | None = None
    content: str | None = None
    papers: tuple[str, ...] = ()

    @property
    def in_messages(self) -> frozenset[str]:
        """Names that messages use. No entry id: its hash would link the receipt to the published list."""
        ids = (self.receipt, self.application_id, self.token, *self.papers)
        return frozenset(one for one in ids if one)


@dataclass(frozen=True)
class PersonErasureRecord:
    """Progress of one erasure. `request`: in the register; None where a restored copy of the list did not name it.

    `cards`: rows about what cannot be taken apart. `verdict`: of the certificate, also of one that is to be replaced.
    """

    erasure_id: str
    campaign: CampaignId
    stage: str
    started_at: datetime
    request: str | None = None
    decided_by: str = ""
    carried_out_by: str = ""
    names: PersonNames | None = None
    before: Mapping[str, int] | None = None
    discarded: int = 0
    cards: Sequence[Mapping[str, Any]] = ()
    verdict: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    contradicted: tuple[str, ...] = ()
    certificate: bytes | None = None
    page: bytes | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record that the database's document describes."""
        names = document.get("names")
        values = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        values |= {"names": None if names is None else PersonNames(**names | {"papers": tuple(names["papers"])})}
        values["contradicted"] = tuple(document.get("contradicted", ()))
        return cls(erasure_id=document["_id"], **values)

    def rows_of(self, service: str) -> tuple[StoreErasure, ...] | None:
        """Return the stores in a service's answer; None before it."""
        answer = self.answers.get(service)
        return None if answer is None else PersonErased.model_validate_json(answer).stores


def collections() -> list[Collection]:
    """Return the collection to prepare."""
    return [Collection(PERSON_ERASURES, None, (Index("campaign"), Index("request")))]


class PersonErasureRepository:
    """Read and write the erasures of people."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[PERSON_ERASURES]

    async def insert(self, record: PersonErasureRecord, uow: UnitOfWork) -> None:
        """Insert an erasure that was ordered."""
        names = record.names
        document = {
            "_id": record.erasure_id,
            "campaign": record.campaign,
            "stage": record.stage,
            "started_at": record.started_at,
            "request": record.request,
            "decided_by": record.decided_by,
            "carried_out_by": record.carried_out_by,
            "names": None if names is None else {**vars(names), "papers": list(names.papers)},
        }
        await self._documents.insert_one(document, session=uow.session)

    async def find(self, erasure_id: str, uow: UnitOfWork | None = None) -> PersonErasureRecord | None:
        """Return an erasure, or None."""
        found = await self._documents.find_one({"_id": erasure_id}, session=uow.session if uow else None)
        return None if found is None else PersonErasureRecord.from_document(found)

    async def of_requests(self, uow: UnitOfWork | None = None) -> dict[str, PersonErasureRecord]:
        """Return the erasures by the request of the register, without their certificates."""
        found = self._documents.find({"request": {"$type": "string"}}, _WITHOUT_FILES, session=uow and uow.session)
        return {document["request"]: PersonErasureRecord.from_document(document) async for document in found}

    async def of_request(self, request: str, uow: UnitOfWork | None = None) -> PersonErasureRecord | None:
        """Return the erasure of a request; None before it was ordered."""
        found = await self._documents.find_one({"request": request}, session=uow.session if uow else None)
        return None if found is None else PersonErasureRecord.from_document(found)

    async def under_way(self, campaign: CampaignId) -> list[PersonErasureRecord]:
        """Return the campaign's erasures that are not certified, without files; none once the campaign is erased."""
        found = self._documents.find(
            {"campaign": campaign, "stage": {"$ne": CERTIFIED}, "names": NAMED}, _WITHOUT_FILES
        )
        return [PersonErasureRecord.from_document(document) async for document in found]

    async def remember(
        self, erasure_id: str, before: Mapping[str, int], cards: Sequence[StoreErasure], papers: Sequence[str]
    ) -> None:
        """Keep what was found before the first deletion, in one write; later calls change nothing."""
        first = {"_id": erasure_id, "before": {"$exists": False}}
        kept = {"before": dict(before), "cards": [row.model_dump() for row in cards], "names.papers": list(papers)}
        await self._documents.update_one(first, {"$set": kept})

    async def add_discarded(self, erasure_id: str, count: int) -> None:
        """Count parked messages that were discarded."""
        await self._documents.update_one({"_id": erasure_id}, {"$inc": {"discarded": count}})

    async def keep_verdict(self, erasure_id: str, facts: Mapping[str, Any]) -> None:
        """Keep a certificate that does not say that all is gone. The erasure goes on."""
        await self._documents.update_one({"_id": erasure_id, "stage": EMPTIED}, {"$set": dict(facts)})

    async def advance(
        self, erasure_id: str, before: str, to: str, facts: Mapping[str, Any], uow: UnitOfWork | None = None
    ) -> bool:
        """Move on; return False if another process did."""
        change: dict[str, Any] = {"$set": {"stage": to, **facts}}
        if to == CERTIFIED:
            change["$unset"] = {"names": ""}
        known = {"_id": erasure_id, "stage": before}
        return bool(
            (await self._documents.update_one(known, change, session=uow.session if uow else None)).modified_count
        )

    async def put_answer(self, answer: PersonErased, uow: UnitOfWork) -> None:
        """Keep the exact JSON of a service's answer."""
        change = {"$set": {f"answers.{answer.service}": answer.to_json().decode("utf-8")}}
        await self._documents.update_one({"_id": answer.erasure_id}, change, session=uow.session)

    async def contradict(self, answer: PersonErased, uow: UnitOfWork) -> None:
        """Record that a service gave a second, different answer."""
        change = {"$addToSet": {"contradicted": answer.service}}
        await self._documents.update_one({"_id": answer.erasure_id}, change, session=uow.session)
