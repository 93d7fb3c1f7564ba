"""Progress of the erasures of people in one service. Once answered, a record holds neither receipt nor other names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from shared.contracts import PersonErased, PersonErasureRequested
from shared.contracts.closing import PERSON_ERASURES
from shared.ids import CampaignId, Receipt
from shared.storage import Collection, Index, Store, UnitOfWork

NOBODY: Final = Receipt("W-0000-0000-1")
"""Receipt number in place of an erased one. Its check symbol is wrong, so that nobody has it."""


@dataclass(frozen=True)
class PersonRecord:
    """Progress of one erasure. `names`: from its tombstone until its answer. `answer`: its exact JSON."""

    erasure_id: str
    request: PersonErasureRequested
    names: frozenset[str] | None
    before: dict[str, int] | None
    answer: str | None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record that the database's document describes."""
        names = document.get("names")
        return cls(
            document["_id"],
            PersonErasureRequested.model_validate_json(document["request"]),
            None if names is None else frozenset(names),
            document.get("before"),
            document.get("answer"),
        )


class PersonRecordRepository:
    """Read and write the records: one document for each erasure."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[PERSON_ERASURES]

    async def find(self, erasure_id: str, uow: UnitOfWork | None = None) -> PersonRecord | None:
        """Return the record, or None if it was not asked for."""
        session = uow.session if uow else None
        document = await self._documents.find_one({"_id": erasure_id}, session=session)
        return None if document is None else PersonRecord.from_document(document)

    async def unanswered(self, campaign: CampaignId) -> list[PersonRecord]:
        """Return the campaign's erasures that are not answered."""
        found = self._documents.find({"campaign": campaign, "answer": {"$exists": False}})
        return [PersonRecord.from_document(document) async for document in found]

    async def insert(self, request: PersonErasureRequested, uow: UnitOfWork) -> None:
        """Record what is asked for."""
        document = {"_id": request.erasure_id, "campaign": request.campaign, "request": _written(request)}
        await self._documents.insert_one(document, session=uow.session)

    async def keep_names(self, erasure_id: str, names: frozenset[str], uow: UnitOfWork) -> None:
        """Keep the person's names for the deletion; names that are there stay, and none follow the answer."""
        first = {"_id": erasure_id, "names": {"$exists": False}, "answer": {"$exists": False}}
        await self._documents.update_one(first, {"$set": {"names": sorted(names)}}, session=uow.session)

    async def remember(self, erasure_id: str, before: Mapping[str, int]) -> None:
        """Keep the counts from before the first deletion; later calls change nothing."""
        first = {"_id": erasure_id, "before": {"$exists": False}}
        await self._documents.update_one(first, {"$set": {"before": dict(before)}})

    async def put_answer(self, answer: PersonErased, uow: UnitOfWork) -> bool:
        """Keep the answer and forget the person's names; return False if it was answered before."""
        unanswered = {"_id": answer.erasure_id, "answer": {"$exists": False}}
        document = await self._documents.find_one(unanswered, session=uow.session)
        if document is None:
            return False
        request = PersonRecord.from_document(document).request.model_copy(update={"receipt": NOBODY})
        change = {"answer": answer.to_json().decode("utf-8"), "request": _written(request)}
        await self._documents.update_one(unanswered, {"$set": change, "$unset": {"names": ""}}, session=uow.session)
        return True


def person_collections() -> list[Collection]:
    """Return the collection that a participant needs."""
    return [Collection(PERSON_ERASURES, None, (Index("campaign"),))]


def _written(request: PersonErasureRequested) -> str:
    return request.to_json().decode("utf-8")
