"""Store the published outcomes of each application: one list per application, of the draw that counts."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from services.lottery.draw.collections import OUTCOMES
from services.lottery.draw.grouping import GroupCount, count_groups
from shared.contracts import Outcome, Result
from shared.ids import ApplicationId, CampaignId, DrawId
from shared.storage import ReplaceOne, Store, UnitOfWork


class OutcomeRepository:
    """Reads and writes outcomes, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._outcomes = at.db[OUTCOMES]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def add(self, campaign: CampaignId, draw: DrawId, results: Sequence[Result]) -> None:
        """Insert the outcomes of a campaign's first draw."""
        documents = [_document(campaign, draw, result) for result in results]
        await self._outcomes.insert_many(documents, session=self._session)

    async def replace(self, campaign: CampaignId, draw: DrawId, results: Sequence[Result]) -> None:
        """Replace the outcomes of an earlier draw by those of the draw that corrects it."""
        documents = [_document(campaign, draw, result) for result in results]
        writes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        await self._outcomes.bulk_write(writes, session=self._session)

    async def of_draw(self, campaign: CampaignId, draw: DrawId) -> dict[ApplicationId, list[Outcome]]:
        """Return all outcomes by application, without tokens."""
        documents = self._outcomes.find({"campaign": campaign, "draw": draw}, {"outcomes": 1})
        return {
            document["_id"]: [Outcome.model_validate(outcome) for outcome in document["outcomes"]]
            async for document in documents
        }

    def count(self, draw: DrawId) -> AsyncIterator[GroupCount]:
        """Yield the outcomes of a draw, counted by `class_id` and `outcome`."""
        key = {"class_id": "$outcomes.class_id", "outcome": "$outcomes.outcome"}
        return count_groups(self._outcomes, {"draw": draw}, "outcomes", key)


def _document(campaign: CampaignId, draw: DrawId, result: Result) -> dict[str, Any]:
    return {
        "_id": result.application_id,
        "campaign": campaign,
        "draw": draw,
        "receipt": result.receipt,
        "token": result.token,
        "outcomes": [outcome.model_dump(exclude_none=True) for outcome in result.outcomes],
    }
