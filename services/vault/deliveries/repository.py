"""Store deliveries: one row for each notice document, each sent or printed once."""

from collections.abc import Collection as AnyCollection
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from services.vault.deliveries.rules.delivery import Delivery, Outcome
from services.vault.deliveries.rules.states import DELIVERED, DELIVERIES, HOLDS_SLOT, OPEN, DeliveryState
from shared.contracts import NoticeChannel
from shared.ids import CampaignId, NoticeId, Token
from shared.storage import Collection, Index, Store, UnitOfWork, UpdateMany

COLLECTION: Final = "notice_deliveries"
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DELIVERED: Final = [state.value for state in DELIVERED]
_OPEN: Final = [state.value for state in OPEN]
_HOLDING: Final = sorted(state.value for state in HOLDS_SLOT)


def collections() -> list[Collection]:
    """Return the collection to prepare. `keys` and `slots` hold one member for each recipient."""
    text, number = {"bsonType": "string"}, {"bsonType": ["int", "long"]}
    texts = {"bsonType": "array", "items": text}
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "notice", "kind", "channel", "attempt", "n", "tokens", "bulk", "state"],
        "properties": {
            "_id": text,
            "campaign": text,
            "notice": text,
            "kind": text,
            "channel": {"enum": ["mail", "card"]},
            "attempt": number,
            "n": number,
            "tokens": texts,
            "bulk": {"bsonType": "bool"},
            "params": {"bsonType": "object"},
            "slip": {"bsonType": "object"},
            "keys": texts,
            "slot": number,
            "slots": texts,
            "state": {"enum": [state.value for state in DeliveryState]},
            "code": number,
            "refused": {"bsonType": "array"},
            "bounced": {"bsonType": "bool"},
            "lost_sessions": number,
            "until": {"bsonType": "date"},
            "mark": text,
            "settled_at": {"bsonType": "date"},
        },
        "additionalProperties": False,
    }
    indexes = (
        Index("keys", unique=True, where={"keys": {"$exists": True}}),
        Index("slots", unique=True, where={"slots": {"$exists": True}}),
        Index((("state", 1), ("until", 1))),
        Index("mark", where={"mark": {"$exists": True}}),
        Index("notice"),
        Index("tokens"),
        Index("campaign"),
    )
    return [Collection(COLLECTION, schema, indexes)]


@dataclass(frozen=True)
class DeliveredNotice:
    """Line of one notice to an applicant. `settled_at`: on the database's clock, None while it waits."""

    notice: NoticeId
    kind: str
    n: int
    channel: NoticeChannel
    attempt: int
    state: DeliveryState
    code: int | None
    bounced: bool
    settled_at: datetime | None
    bulk: bool

    @property
    def holds_slot(self) -> bool:
        """True if it counts among the two mails or two cards, because the applicant may have got it."""
        return self.state in HOLDS_SLOT

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Read a row of the collection."""
        return cls(
            NoticeId(row["notice"]), row["kind"], row["n"], row["channel"], row["attempt"], DeliveryState(row["state"]),
            row.get("code"), row.get("bounced", False), row.get("settled_at"), row["bulk"],
        )  # fmt: skip


class DeliveryRepository:
    """Insert deliveries, claim those that wait, and write their outcomes. Claims are counted by the server's clock."""

    def __init__(self, store: Store) -> None:
        self._rows = store.db[COLLECTION]

    async def insert(self, uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        """Insert within the unit of work. Raises DuplicateKeyError if another process took a key or slot."""
        if not deliveries:
            return
        rows = [delivery.to_row() for delivery in deliveries]
        for row in rows:
            if row["state"] == DeliveryState.QUEUED.value:
                row["until"] = _LONG_AGO
        await self._rows.insert_many(rows, session=uow.session)

    async def by_ids(self, uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Delivery]:
        """Return the deliveries with these ids."""
        found = self._rows.find({"_id": {"$in": list(ids)}}, session=uow.session)
        return {row["_id"]: Delivery.from_row(row) async for row in found}

    async def taken(self, uow: UnitOfWork, field: str, names: AnyCollection[str]) -> set[str]:
        """Return those of `names` that some delivery has in `field` (`keys` or `slots`)."""
        wanted = list(names)
        found = self._rows.find({field: {"$in": wanted}}, {field: 1}, session=uow.session)
        return {name async for row in found for name in row[field]} & set(wanted)

    async def claim(self, mark: str, limit: int, lease_s: float) -> list[Delivery]:
        """Claim at most `limit` deliveries that are due, under a mark of this claim alone."""
        due = {"state": DeliveryState.QUEUED.value, "$expr": {"$lt": ["$until", "$$NOW"]}}
        ids = [row["_id"] async for row in self._rows.find(due, {"_id": 1}).sort("until", 1).limit(limit)]
        if not ids:
            return []
        take = [{"$set": {"mark": mark, "until": _in(lease_s)}}]
        await self._rows.update_many({"_id": {"$in": ids}, **due}, take)
        return [Delivery.from_row(row) async for row in self._rows.find({"mark": mark})]

    async def renew(self, mark: str, lease_s: float) -> None:
        """Prolong the claim."""
        mine = {"mark": mark, "state": {"$in": _OPEN}}
        await self._rows.update_many(mine, [{"$set": {"until": _in(lease_s)}}])

    async def begin(self, mark: str, ids: Sequence[str], lease_s: float) -> set[str]:
        """Write durably that these texts are about to be sent; return the ids of which that is true.

        A delivery that another process took meanwhile, or that was erased, is absent.
        """
        mine = {"_id": {"$in": list(ids)}, "mark": mark}
        change = [{"$set": {"state": DeliveryState.COMMITTING.value, "until": _in(lease_s)}}]
        before = {"state": {"$in": DELIVERIES.before(DeliveryState.COMMITTING)}, "$expr": {"$gt": ["$until", "$$NOW"]}}
        changed = await self._rows.update_many({**mine, **before}, change)
        if changed.modified_count == len(ids):
            return set(ids)
        query = {**mine, "state": DeliveryState.COMMITTING.value}
        return {row["_id"] async for row in self._rows.find(query, {"_id": 1})}

    async def release(self, mark: str, ids: Sequence[str] | None, wait_s: float, *, counts: bool = False) -> None:
        """Let deliveries of which nothing was sent wait for `wait_s` seconds. `counts`: the try counts.

        `ids` None: all that are claimed under this mark.
        """
        mine = {"mark": mark, "state": {"$in": _OPEN}, **({} if ids is None else {"_id": {"$in": list(ids)}})}
        lost_sessions = {"$add": [{"$ifNull": ["$lost_sessions", 0]}, int(counts)]}
        change = {"state": DeliveryState.QUEUED.value, "until": _in(wait_s), "lost_sessions": lost_sessions}
        await self._rows.update_many(mine, [{"$set": change}, {"$unset": "mark"}])

    async def settle(self, uow: UnitOfWork, outcomes: Mapping[str, Outcome]) -> None:
        """Write outcomes within the unit of work. The slip goes: only its number is kept."""
        groups: dict[Outcome, list[str]] = {}
        for row_id, outcome in outcomes.items():
            groups.setdefault(outcome, []).append(row_id)
        changes = [_settling(ids, outcome) for outcome, ids in groups.items()]
        if changes:
            await self._rows.bulk_write([UpdateMany(*change) for change in changes], ordered=False, session=uow.session)

    async def expired(self, uow: UnitOfWork, limit: int) -> list[Delivery]:
        """Return deliveries whose claim ran out while the text may have been on its way."""
        lost = {"state": DeliveryState.COMMITTING.value, "$expr": {"$lt": ["$until", "$$NOW"]}}
        return [Delivery.from_row(row) async for row in self._rows.find(lost, session=uow.session).limit(limit)]

    async def delivered(self, campaign: CampaignId, kinds: AnyCollection[str]) -> set[tuple[Token, int]]:
        """Return token and number of each single notice of these kinds that was sent or printed."""
        query = {"campaign": campaign, "bulk": False, "kind": {"$in": list(kinds)}, "state": {"$in": _DELIVERED}}
        found = self._rows.find(query, {"tokens": 1, "n": 1})
        return {(Token(row["tokens"][0]), int(row["n"])) async for row in found}

    async def superseded(self, campaign: CampaignId, kind: str) -> set[Token]:
        """Return the applicants to whom a notice of this kind was not sent, because something else holds now."""
        query = {"campaign": campaign, "kind": kind, "bulk": False, "state": DeliveryState.SUPERSEDED.value}
        return {Token(row["tokens"][0]) async for row in self._rows.find(query, {"tokens": 1})}

    async def of_applicant(self, token: Token) -> list[DeliveredNotice]:
        """Return all notices to one applicant, the newest first."""
        found = self._rows.find({"tokens": token}).sort([("settled_at", -1), ("_id", 1)])
        return [DeliveredNotice.from_row(row) async for row in found]

    async def announced(self, notice: NoticeId) -> list[Token]:
        """Return the recipients of an announcement by mail that left; none for a notice to one applicant."""
        query = {"notice": notice, "bulk": True, "state": {"$in": [*_DELIVERED, DeliveryState.UNKNOWN.value]}}
        return [Token(token) async for row in self._rows.find(query, {"tokens": 1}) for token in row["tokens"]]

    async def mark_bounced(self, uow: UnitOfWork, notice: NoticeId) -> None:
        """Record that a mail came back, for the vault's own counts."""
        query = {"notice": notice, "channel": "mail", "state": {"$in": [*_DELIVERED, DeliveryState.UNKNOWN.value]}}
        await self._rows.update_many(query, {"$set": {"bounced": True}}, session=uow.session)

    async def counts(self, campaign: CampaignId) -> dict[str, dict[str, int]]:
        """Return the number of deliveries by channel and state; a mail that came back counts as `bounced`."""
        state = {"$cond": [{"$eq": ["$bounced", True]}, "bounced", "$state"]}
        group = {"_id": {"channel": "$channel", "state": state}, "count": {"$sum": 1}}
        found: dict[str, dict[str, int]] = {"mail": {}, "card": {}}
        async for row in self._rows.aggregate([{"$match": {"campaign": campaign}}, {"$group": group}]):
            found[row["_id"]["channel"]][row["_id"]["state"]] = row["count"]
        return found

    async def count(self, *states: DeliveryState, campaign: CampaignId | None = None, **more: Any) -> int:
        """Return the number of deliveries in these states."""
        query: dict[str, Any] = {"state": {"$in": [state.value for state in states]}, **more}
        return await self._rows.count_documents(query | ({"campaign": campaign} if campaign else {}))


def _settling(ids: Sequence[str], outcome: Outcome) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    members: dict[str, Any] = {"state": outcome.state.value, "settled_at": "$$NOW"}
    if outcome.code is not None:
        members["code"] = outcome.code
    if outcome.refused:
        members["refused"] = {"$literal": [refusal.model_dump() for refusal in outcome.refused]}
    gone = ["slip", "until"] + ([] if outcome.state.value in _HOLDING else ["slot", "slots"])
    selected = {"_id": {"$in": list(ids)}, "state": {"$in": DELIVERIES.before(outcome.state)}}
    return selected, [{"$set": members}, {"$unset": gone}]


def _in(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", int(seconds * 1000)]}
