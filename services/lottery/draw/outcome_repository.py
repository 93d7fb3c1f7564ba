"""Store the outcomes that the draw gave to each application: one list per application, of the draw that counts.

An application that was wrongly refused gets its outcomes by a correction. They count as no result of the draw.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from services.lottery.draw.collections import OUTCOMES
from services.lottery.draw.grouping import GroupCount, count_groups
from services.lottery.draw.rules.result import DrawnResult, Result
from shared.codes import EntryId
from shared.contracts import SlipOutcome
from shared.ids import CampaignId, DrawId, Receipt, Token
from shared.json_types import JsonObject
from shared.paging import PageRequest
from shared.storage import ReplaceOne, Store, UnitOfWork

_OF_THE_DRAW: Final[Mapping[str, Any]] = {"corrected": {"$exists": False}}


class OutcomeRepository:
    """Reads and writes outcomes, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._outcomes = at.db[OUTCOMES]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def add(self, campaign: CampaignId, draw: DrawId, results: Sequence[DrawnResult]) -> None:
        """Insert the outcomes of a campaign's first draw."""
        documents = [_document(campaign, draw, *result) for result in results]
        await self._outcomes.insert_many(documents, session=self._session)

    async def replace(self, campaign: CampaignId, draw: DrawId, results: Sequence[DrawnResult]) -> None:
        """Replace the outcomes of an earlier draw by those of the draw that corrects it."""
        documents = [_document(campaign, draw, *result) for result in results]
        writes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        await self._outcomes.bulk_write(writes, session=self._session)

    async def add_corrected(self, campaign: CampaignId, draw: DrawId, result: Result) -> None:
        """Store the outcomes of an application that a correction brings in; those of an earlier draw are replaced."""
        outcomes = [outcome.model_dump() for outcome in result.outcomes]
        document = {
            **_document(campaign, draw, result.entry, result.receipt, result.token, outcomes),
            "corrected": True,
        }
        await self._outcomes.replace_one({"_id": document["_id"]}, document, upsert=True, session=self._session)

    async def page_of_draw(
        self, campaign: CampaignId, draw: DrawId, page: PageRequest
    ) -> tuple[dict[Receipt, list[SlipOutcome]], str | None]:
        """Return a page of the draw's outcomes by receipt number, without tokens, and where the next one begins."""
        wanted = page.query({"campaign": campaign, "draw": draw, **_OF_THE_DRAW})
        found = self._outcomes.find(wanted, {"receipt": 1, "outcomes": 1}).sort("_id", 1).limit(page.fetched)
        rows, following = page.cut([document async for document in found], lambda document: str(document["_id"]))
        return {document["receipt"]: list(_outcomes(document)) for document in rows}, following

    async def of_entries(self, draw: DrawId, entries: Sequence[EntryId]) -> dict[EntryId, Result]:
        """Return the results of these entries, corrected ones too."""
        documents = self._outcomes.find({"_id": {"$in": list(entries)}, "draw": draw}, session=self._session)
        results = [
            Result(
                EntryId(document["_id"]),
                Receipt(document["receipt"]),
                Token(document["token"]),
                _outcomes(document),
            )
            async for document in documents
        ]
        return {result.entry: result for result in results}

    def count(self, draw: DrawId) -> AsyncIterator[GroupCount]:
        """Yield the outcomes of a draw, counted by `class_id`, `outcome`, and `reason` where there is one."""
        key = {"class_id": "$outcomes.class_id", "outcome": "$outcomes.outcome", "reason": "$outcomes.reason"}
        return count_groups(self._outcomes, {"draw": draw, **_OF_THE_DRAW}, "outcomes", key)


def _document(
    campaign: CampaignId, draw: DrawId, entry: EntryId, receipt: Receipt, token: Token, outcomes: list[JsonObject]
) -> dict[str, Any]:
    return {
        "_id": entry,
        "campaign": campaign,
        "draw": draw,
        "receipt": receipt,
        "token": token,
        "outcomes": outcomes,
    }


def _outcomes(document: Mapping[str, Any]) -> tuple[SlipOutcome, ...]:
    return tuple(SlipOutcome.model_validate(outcome) for outcome in document["outcomes"])
