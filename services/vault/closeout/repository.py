"""Where the close-out of each campaign stands: one document per campaign, moved on by the table of `stages` only."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.vault.closeout.rules.stages import Stage, before
from shared.ids import CampaignId
from shared.storage import Collection, DuplicateKeyError, Store, UnitOfWork

COLLECTION: Final = "closeouts"

Record = Mapping[str, Any]
"""`stage` always; `package`, `confirmation`, `order`, `counts`, `samples`, `logs`, `stores`, … as they come about."""


def collections() -> list[Collection]:
    schema = {
        "bsonType": "object",
        "required": ["_id", "stage"],
        "properties": {"_id": {"bsonType": "string"}, "stage": {"enum": [stage.value for stage in Stage]}},
    }
    return [Collection(COLLECTION, schema)]


class Ledger:
    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def ensure(self, campaigns: Iterable[CampaignId]) -> None:
        """A line for each campaign, open at first."""
        for campaign in campaigns:
            try:
                await self._documents.update_one(
                    {"_id": campaign}, {"$setOnInsert": {"stage": Stage.OPEN.value}}, upsert=True
                )
            except DuplicateKeyError:
                continue

    async def of(self, campaign: CampaignId, *, uow: UnitOfWork | None = None) -> tuple[Stage, Record]:
        found = await self._documents.find_one({"_id": campaign}, session=uow.session if uow else None)
        record = found or {"stage": Stage.OPEN.value}
        return Stage(record["stage"]), record

    async def advance(
        self,
        campaign: CampaignId,
        to: Stage,
        facts: Record,
        *,
        uow: UnitOfWork | None = None,
        only_if: Record | None = None,
    ) -> bool:
        """Move on if the table allows it from where it stands (and `only_if` matches); whether it moved."""
        changed = await self._documents.update_one(
            {"_id": campaign, "stage": {"$in": [stage.value for stage in before(to)]}, **(only_if or {})},
            {"$set": {"stage": to.value, **facts}},
            session=uow.session if uow else None,
        )
        return bool(changed.modified_count)

    async def note(self, campaign: CampaignId, facts: Record, *, uow: UnitOfWork | None = None) -> None:
        """Add what was found out, without moving on."""
        await self._documents.update_one({"_id": campaign}, {"$set": dict(facts)}, session=uow.session if uow else None)
