"""Close-outs in the database: one document for each campaign, moved on by the table of `rules.stages` only."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.vault.closeout.rules.record import CloseOutRecord
from services.vault.closeout.rules.stages import STAGES, Stage
from shared.contracts import ErasureCompleted
from shared.ids import CampaignId
from shared.storage import Collection, DuplicateKeyError, Store, UnitOfWork

COLLECTION: Final = "closeouts"

Facts = Mapping[str, Any]
"""Members of the document that a step adds."""


def collections() -> list[Collection]:
    """Return the collection of close-outs."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "stage"],
        "properties": {"_id": {"bsonType": "string"}, "stage": {"enum": [stage.value for stage in Stage]}},
    }
    return [Collection(COLLECTION, schema)]


class CloseOutRepository:
    """Read close-outs and move them on."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def ensure(self, campaigns: Iterable[CampaignId]) -> None:
        """Create a document for each campaign that has none."""
        for campaign in campaigns:
            try:
                await self._documents.update_one(
                    {"_id": campaign}, {"$setOnInsert": {"stage": Stage.OPEN.value}}, upsert=True
                )
            except DuplicateKeyError:
                continue

    async def find(self, campaign: CampaignId, *, uow: UnitOfWork | None = None) -> CloseOutRecord:
        """Return the campaign's close-out; an unknown campaign is open."""
        found = await self._documents.find_one({"_id": campaign}, session=uow.session if uow else None)
        return CloseOutRecord.from_document(found or {"stage": Stage.OPEN.value})

    async def advance(
        self,
        campaign: CampaignId,
        to: Stage,
        facts: Facts,
        *,
        uow: UnitOfWork | None = None,
        only_if: Facts | None = None,
    ) -> bool:
        """Move on if the table allows it (and `only_if` matches). Return False if the document did not move."""
        changed = await self._documents.update_one(
            {"_id": campaign, "stage": {"$in": STAGES.before(to)}, **(only_if or {})},
            {"$set": {"stage": to.value, **facts}},
            session=uow.session if uow else None,
        )
        return bool(changed.modified_count)

    async def add_seen_empty(self, campaign: CampaignId, queues: Iterable[str]) -> None:
        """Record delay queues that were seen empty."""
        await self._documents.update_one({"_id": campaign}, {"$addToSet": {"seen_empty": {"$each": sorted(queues)}}})

    async def add_discarded(self, campaign: CampaignId, discarded: int) -> None:
        """Count parked messages that were discarded."""
        if discarded:
            await self._documents.update_one({"_id": campaign}, {"$inc": {"discarded": discarded}})

    async def put_answer(self, answer: ErasureCompleted, uow: UnitOfWork) -> None:
        """Keep the exact JSON of a service's answer."""
        member = f"answers.{answer.service}.{answer.phase}"
        change = {"$set": {member: answer.to_json().decode("utf-8")}}
        await self._documents.update_one({"_id": answer.campaign}, change, session=uow.session)

    async def contradict(self, answer: ErasureCompleted, uow: UnitOfWork) -> None:
        """Record that a service gave a second, different answer for one phase."""
        change = {"$addToSet": {"contradicted": answer.service}}
        await self._documents.update_one({"_id": answer.campaign}, change, session=uow.session)
