"""Progress of erasures in one service, behind one repository: what was asked for, counted and answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from shared.contracts import ErasureCompleted, ErasurePhase, ErasureRequested
from shared.ids import CampaignId
from shared.storage import Collection, Store, UnitOfWork

ERASURES: Final = "erasures"


@dataclass(frozen=True)
class ErasureRecord:
    """Progress of one erasure in one service. `answers`: the exact JSON of each answer that was given."""

    campaign: CampaignId
    erasure_id: str
    requested: tuple[str, ...]
    before: dict[str, int] | None = None
    discarded: int = 0
    answers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record that the database's document describes."""
        return cls(
            campaign=CampaignId(document["_id"]),
            erasure_id=document["erasure_id"],
            requested=tuple(document["requested"]),
            before=document.get("before"),
            discarded=document["discarded"],
            answers=document["answers"],
        )

    def is_due(self, phase: ErasurePhase) -> bool:
        """Return True if the phase was asked for and not answered yet."""
        return phase in self.requested and phase not in self.answers


class ErasureRepository:
    """Read and write the erasures of one service: one document for each campaign."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[ERASURES]

    async def find(self, campaign: CampaignId, uow: UnitOfWork | None = None) -> ErasureRecord | None:
        """Return the campaign's record, or None if no erasure was asked for."""
        document = await self._documents.find_one({"_id": campaign}, session=uow.session if uow else None)
        return None if document is None else ErasureRecord.from_document(document)

    async def request(self, event: ErasureRequested, uow: UnitOfWork) -> None:
        """Record that a phase is asked for. Asking for `measured` asks for `erased` as well."""
        asked = {"$each": ["erased", event.phase]}
        fresh = {"erasure_id": event.erasure_id, "discarded": 0, "answers": {}}
        change = {"$setOnInsert": fresh, "$addToSet": {"requested": asked}}
        await self._documents.update_one({"_id": event.campaign}, change, upsert=True, session=uow.session)

    async def remember(self, campaign: CampaignId, before: Mapping[str, int]) -> None:
        """Keep the counts from before the first deletion; later calls change nothing."""
        first = {"_id": campaign, "before": {"$exists": False}}
        await self._documents.update_one(first, {"$set": {"before": dict(before)}})

    async def add_discarded(self, campaign: CampaignId, discarded: int) -> None:
        """Count parked messages that were discarded."""
        if discarded:
            await self._documents.update_one({"_id": campaign}, {"$inc": {"discarded": discarded}})

    async def put_answer(self, answer: ErasureCompleted, uow: UnitOfWork) -> bool:
        """Keep the answer; return False if the phase was answered before."""
        member = f"answers.{answer.phase}"
        unanswered = {"_id": answer.campaign, member: {"$exists": False}}
        change = {"$set": {member: answer.to_json().decode("utf-8")}}
        return bool((await self._documents.update_one(unanswered, change, session=uow.session)).modified_count)


def collections() -> list[Collection]:
    """Return the collection that a participant needs."""
    return [Collection(ERASURES)]
