"""Store the numbers of slips that the lottery issued, by token, and the notifier's own counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, get_args

from shared.contracts import IssuedSlip, NoticesCounted
from shared.ids import CampaignId, Token
from shared.storage import Collection, Index, Store, UnitOfWork, UpdateOne

SLIPS: Final = "slips"
COUNTS: Final = "notice_counts"


@dataclass(frozen=True)
class SlipNumbers:
    """Numbers of one applicant's slips. `newest`: issued, or seen in a delivery. `issued`: what the lottery named."""

    token: Token
    newest: int
    issued: tuple[int, ...]


PileState: TypeAlias = Literal["to_phone", "failed", "returned", "unclear"]
"""State of a notice that waits for a handler: a call, or nobody knows whether its mail arrived.

A call: no address may tell it, no card could be made, or its card came back.
"""


@dataclass(frozen=True)
class NoticePile:
    """Notices that wait for a handler in one state. `since`: there was never none since then."""

    state: PileState
    count: int
    since: datetime


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    number = {"bsonType": ["int", "long"]}
    slip = {
        "bsonType": "object",
        "required": ["_id", "campaign", "newest"],
        "properties": {
            "_id": {"bsonType": "string"},
            "campaign": {"bsonType": "string"},
            "newest": number,
            "issued": {"bsonType": "array", "items": number},
        },
        "additionalProperties": False,
    }
    counts = {
        "bsonType": "object",
        "required": ["_id", "campaign", "counted_at", "body"],
        "properties": {
            "_id": {"bsonType": "string"},
            "campaign": {"bsonType": "string"},
            "counted_at": {"bsonType": "date"},
            "body": {"bsonType": "string"},
            "since": {"bsonType": "object"},
        },
        "additionalProperties": False,
    }
    return [Collection(SLIPS, slip, (Index("campaign"),)), Collection(COUNTS, counts, (Index("campaign"),))]


class SlipRepository:
    """Keep the newest number of each applicant's slips; it only rises."""

    def __init__(self, store: Store) -> None:
        self._slips, self._counts = store.db[SLIPS], store.db[COUNTS]

    async def newest(self, tokens: Sequence[Token], uow: UnitOfWork | None = None) -> dict[Token, int]:
        """Return the newest number of each of these applicants who has a slip."""
        session = uow.session if uow else None
        found = self._slips.find({"_id": {"$in": list(tokens)}}, {"newest": 1}, session=session)
        return {Token(row["_id"]): row["newest"] async for row in found}

    async def issued(
        self, campaign: CampaignId, since: int, uow: UnitOfWork | None = None, *, among: Sequence[Token] | None = None
    ) -> set[Token]:
        """Return the applicants for whom the lottery issued a slip of this number or a higher one.

        `among`: those of these.
        """
        query: dict[str, Any] = {"campaign": campaign, "issued": {"$gte": since}}
        if among is not None:
            query["_id"] = {"$in": list(among)}
        found = self._slips.find(query, {"_id": 1}, session=uow.session if uow else None)
        return {Token(row["_id"]) async for row in found}

    async def count(self, campaign: CampaignId, n: int) -> int:
        """Return for how many applicants the lottery issued a slip of this number."""
        return int(await self._slips.count_documents({"campaign": campaign, "issued": n}))

    async def add_issued(self, uow: UnitOfWork, campaign: CampaignId, items: Sequence[IssuedSlip]) -> None:
        """Record the slips that the lottery issued; a repeated one changes nothing."""
        if not items:
            return
        changes = [
            UpdateOne(
                {"_id": item.token},
                {
                    "$setOnInsert": {"campaign": campaign},
                    "$max": {"newest": item.n},
                    "$addToSet": {"issued": item.n},
                },
                upsert=True,
            )
            for item in items
        ]
        await self._slips.bulk_write(changes, session=uow.session)

    async def remove(self, uow: UnitOfWork, selected: Mapping[str, Any]) -> list[int]:
        """Remove the selected slips; return the numbers of those that the lottery issued."""
        issued = await self._slips.find(selected, {"issued": 1}, session=uow.session).to_list(None)
        await self._slips.delete_many(selected, session=uow.session)
        return [n for row in issued for n in row.get("issued", ())]

    async def add_seen(self, uow: UnitOfWork, campaign: CampaignId, numbers: Mapping[Token, int]) -> None:
        """Record the numbers of slips that came with documents."""
        if numbers:
            changes = [
                UpdateOne({"_id": token}, {"$setOnInsert": {"campaign": campaign}, "$max": {"newest": n}}, upsert=True)
                for token, n in numbers.items()
            ]
            await self._slips.bulk_write(changes, session=uow.session)

    async def put_counts(self, uow: UnitOfWork, event: NoticesCounted) -> None:
        """Keep the notifier's counts, unless newer ones are there."""
        row = {"campaign": event.campaign, "counted_at": event.counted_at, "body": event.to_json().decode("utf-8")}
        older = await self._counts.find_one({"_id": event.campaign}, {"counted_at": 1, "since": 1}, session=uow.session)
        if older is None or older["counted_at"] < event.counted_at:
            before, piles = (older or {}).get("since", {}), _piles(event)
            since = {state: before.get(state, event.counted_at) for state, count in piles.items() if count}
            document = {**row, "since": since}
            await self._counts.replace_one({"_id": event.campaign}, document, upsert=True, session=uow.session)

    async def piles(self, campaign: CampaignId) -> list[NoticePile]:
        """Return what waits for a handler at the notifier, by its newest counts."""
        row = await self._counts.find_one({"_id": campaign})
        if row is None:
            return []
        piles, since = _piles(NoticesCounted.model_validate_json(row["body"])), row.get("since", {})
        return [NoticePile(state, piles[state], at) for state, at in since.items()]

    async def counts(self, campaign: CampaignId) -> NoticesCounted | None:
        """Return the notifier's newest counts; None before the first."""
        row = await self._counts.find_one({"_id": campaign})
        return None if row is None else NoticesCounted.model_validate_json(row["body"])

    async def all(self, campaign: CampaignId) -> list[SlipNumbers]:
        """Return the numbers of all applicants who have a slip."""
        return [_numbers(row) async for row in self._slips.find({"campaign": campaign})]


def _piles(event: NoticesCounted) -> dict[PileState, int]:
    """Return how many notices wait for a handler, by state."""
    return {state: sum(each.count for each in event.counts if each.state == state) for state in get_args(PileState)}


def _numbers(row: Mapping[str, Any]) -> SlipNumbers:
    return SlipNumbers(Token(row["_id"]), row["newest"], tuple(row.get("issued", ())))
