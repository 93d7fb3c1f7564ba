"""Where each campaign stands at intake: one document a campaign, moved along `states.STAGE_AFTER` only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.intake.rules.states import Stage, before_stage
from shared.batching import Together
from shared.ids import CampaignId
from shared.storage import DuplicateKeyError, Store, UnitOfWork

CAMPAIGNS: Final = "campaigns"


@dataclass(frozen=True)
class Standing:
    """A campaign's stage; while it is being erased, which erasure it is and what was counted before."""

    campaign: CampaignId
    stage: Stage
    erasure_id: str | None
    before: dict[str, int]


class Stages:
    def __init__(self, store: Store) -> None:
        self._campaigns = store.db[CAMPAIGNS]
        self._ask_together = Together(self._open_among)

    async def ensure(self, campaigns: Iterable[CampaignId]) -> None:
        """A campaign seen for the first time is open."""
        for campaign in campaigns:
            try:
                await self._campaigns.insert_one({"_id": campaign, "stage": Stage.OPEN})
            except DuplicateKeyError:
                continue

    async def of(self, campaign: CampaignId, *, uow: UnitOfWork | None = None) -> Standing:
        found = await self._campaigns.find_one({"_id": campaign}, session=None if uow is None else uow.session)
        return _standing(campaign, found or {"stage": Stage.OPEN})

    async def is_open(self, campaign: CampaignId) -> bool:
        """Asked of the database now, not remembered: the answer is no older than the question."""
        return await self._ask_together(campaign)

    async def _open_among(self, campaigns: Sequence[CampaignId]) -> list[bool]:
        asked = {"_id": {"$in": list(set(campaigns))}, "stage": Stage.OPEN}
        found = {each["_id"] async for each in self._campaigns.find(asked, {"_id": 1})}
        return [campaign in found for campaign in campaigns]

    async def advance(
        self, campaign: CampaignId, target: Stage, *, uow: UnitOfWork | None = None, **members: Any
    ) -> bool:
        """Move on to `target`. False where another instance did, or where it cannot be reached from here."""
        here = {"_id": campaign, "stage": {"$in": before_stage(target)}}
        change = {"$set": {"stage": target, **members}}
        session = None if uow is None else uow.session
        return bool((await self._campaigns.update_one(here, change, session=session)).modified_count)

    async def remember(self, campaign: CampaignId, before: dict[str, int]) -> None:
        """What was counted before anything was deleted; the first count holds, however often erasing is resumed."""
        unknown = {"_id": campaign, "stage": Stage.ERASING, "before": {}}
        await self._campaigns.update_one(unknown, {"$set": {"before": before}})


def _standing(campaign: CampaignId, found: dict[str, Any]) -> Standing:
    return Standing(campaign, Stage(found["stage"]), found.get("erasure_id"), found.get("before", {}))
