"""Store the stage of each campaign at intake: one document a campaign, changed along `CAMPAIGN_STAGES` only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from services.intake.rules.states import CAMPAIGN_STAGES, Stage
from shared.batching import Batcher
from shared.ids import CampaignId
from shared.storage import DuplicateKeyError, Store, UnitOfWork

CAMPAIGNS: Final = "campaigns"


@dataclass(frozen=True)
class CampaignStage:
    """Stage of a campaign."""

    campaign: CampaignId
    stage: Stage = Stage.OPEN
    is_drawn: bool = False

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        return cls(CampaignId(document["_id"]), Stage(document["stage"]), document.get("drawn", False))

    @property
    def is_erased(self) -> bool:
        """True from the moment at which the erasure began."""
        return self.stage in {Stage.ERASING, Stage.ERASED}


class CampaignStageRepository:
    """Read and change the stages of campaigns."""

    def __init__(self, store: Store) -> None:
        self._campaigns = store.db[CAMPAIGNS]
        self._is_open = Batcher(self._are_open)

    async def ensure(self, campaigns: Iterable[CampaignId]) -> None:
        """Insert each campaign that has no document yet, as open."""
        for campaign in campaigns:
            try:
                await self._campaigns.insert_one({"_id": campaign, "stage": Stage.OPEN})
            except DuplicateKeyError:
                continue

    async def find(self, campaign: CampaignId, *, uow: UnitOfWork | None = None) -> CampaignStage:
        """Return the campaign's stage; open where it has no document."""
        session = None if uow is None else uow.session
        document = await self._campaigns.find_one({"_id": campaign}, session=session)
        return CampaignStage(campaign) if document is None else CampaignStage.from_document(document)

    async def is_open(self, campaign: CampaignId) -> bool:
        """Return True if the campaign is open. The database is read after this call began, never a cache."""
        return await self._is_open(campaign)

    async def _are_open(self, campaigns: Sequence[CampaignId]) -> list[bool]:
        query = {"_id": {"$in": list(set(campaigns))}, "stage": Stage.OPEN}
        open_campaigns = {document["_id"] async for document in self._campaigns.find(query, {"_id": 1})}
        return [campaign in open_campaigns for campaign in campaigns]

    async def keep_open(self, campaign: CampaignId, uow: UnitOfWork) -> bool:
        """Return True if the campaign is open and stays open until this transaction is committed.

        The write conflicts with the closing: of the two, one comes wholly before the other.
        """
        source = {"_id": campaign, "stage": Stage.OPEN}
        change = {"$inc": {"versions": 1}}
        return bool((await uow.db[CAMPAIGNS].update_one(source, change, session=uow.session)).modified_count)

    async def mark_drawn(self, campaign: CampaignId, uow: UnitOfWork) -> None:
        """Record that the campaign's draw is published."""
        await uow.db[CAMPAIGNS].update_one({"_id": campaign}, {"$set": {"drawn": True}}, session=uow.session)

    async def advance(self, campaign: CampaignId, target: Stage, *, uow: UnitOfWork | None = None) -> bool:
        """Move the campaign to `target`, if the table allows it.

        Return False if another instance was first or if `target` does not follow the present stage.
        """
        source = {"_id": campaign, "stage": {"$in": CAMPAIGN_STAGES.before(target)}}
        change = {"$set": {"stage": target}}
        session = None if uow is None else uow.session
        return bool((await self._campaigns.update_one(source, change, session=session)).modified_count)
