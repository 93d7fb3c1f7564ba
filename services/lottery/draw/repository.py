"""What the lottery keeps: one draw per campaign, verdicts by application id, the roll of receipts, outcomes.

The draw's document is also the gate: whoever changes the list of entries touches it in the same transaction, so that a
freeze and a late verdict can never both succeed.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from services.lottery.draw.rules.states import DrawState
from services.lottery.record.manifest import draw_id
from shared.campaign import Campaign
from shared.errors import PermanentError, TransientError
from shared.ids import ApplicationId, CampaignId, DrawId
from shared.storage import Collection, DuplicateKeyError, Index, Store, UnitOfWork, UpdateOne
from shared.storage.leases import LEASES

DRAWS, ENTRIES, ROLL, ROLL_PARTS, OUTCOMES, TEXTS = "draws", "entries", "roll", "roll_parts", "outcomes", "texts"
LISTS, PAST_DRAWS, STAMPS = "lists", "past_draws", "stamps"
PERSONAL = (ENTRIES, ROLL, ROLL_PARTS, OUTCOMES)
"""What an erasure removes: everything that holds a token, or an id that is not in the public transcript anyway."""

_TEXT_PART = 4 * 1024 * 1024
_TEXT_TRIES = 5


class ListIsFrozen(PermanentError):  # noqa: N818  (says what is the case)
    """A verdict came after the list was frozen: it is parked for people to see, and changes nothing."""


def collections() -> list[Collection]:
    by_campaign = (Index("campaign"),)
    string, strings = {"bsonType": "string"}, {"bsonType": "array"}
    entry = {
        "bsonType": "object",
        "required": ["_id", "campaign", "state", "channel", "revision"],
        "properties": {
            "_id": string,
            "campaign": string,
            "state": {"enum": ["accepted", "rejected", "held"]},
            "channel": {"enum": ["web", "fax", "post"]},
            "revision": {"bsonType": "int"},
            "receipt": {"bsonType": ["string", "null"]},
            "token": {"bsonType": ["string", "null"]},
            "choices": strings,
            "refused": strings,
            "reasons": strings,
        },
        "additionalProperties": False,
    }
    draw = {"bsonType": "object", "required": ["_id", "state"], "properties": {"state": {"enum": list(DrawState)}}}
    in_order = Index((("campaign", 1), ("state", 1), ("_id", 1)))
    return [
        Collection(DRAWS, draw),
        Collection(ENTRIES, entry, (in_order, Index((("campaign", 1), ("receipt", 1))))),
        Collection(ROLL, None, (Index((("campaign", 1), ("_id", 1))),)),
        Collection(ROLL_PARTS, None, by_campaign),
        Collection(OUTCOMES, None, (*by_campaign, Index("token", unique=True), Index("receipt"))),
        Collection(TEXTS),
        Collection(LISTS, None, (Index("draw"),)),
        Collection(PAST_DRAWS, None, (Index((("campaign", 1), ("number", 1)), unique=True),)),
        Collection(STAMPS, None, (Index("draw"),)),
        Collection(LEASES),
    ]


async def ensure_draws(store: Store, campaigns: Iterable[Campaign]) -> None:
    """Every campaign has its one draw from the start."""
    for campaign in campaigns:
        try:
            await store.db[DRAWS].update_one(
                {"_id": campaign.id},
                {"$setOnInsert": {"state": DrawState.OPEN, "changes": 0, "number": 1, "draw": draw_id(campaign.id, 1)}},
                upsert=True,
            )
        except DuplicateKeyError:
            continue


async def touch_list(uow: UnitOfWork, campaign: CampaignId) -> None:
    """Pass the gate before changing entries. Raises ListIsFrozen."""
    passed = await uow.db[DRAWS].update_one(
        {"_id": campaign, "state": DrawState.OPEN}, {"$inc": {"changes": 1}}, session=uow.session
    )
    if passed.modified_count == 0:
        raise ListIsFrozen(f"the list of campaign {campaign} is frozen")


async def put_verdicts(uow: UnitOfWork, verdicts: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace; of two verdicts on one application the higher revision stays, in whatever order they come."""
    ids = [verdict["_id"] for verdict in verdicts]
    entries = uow.db[ENTRIES]
    cursor = entries.find({"_id": {"$in": ids}}, {"revision": 1}, session=uow.session)
    known = {document["_id"]: document["revision"] async for document in cursor}
    newest = {
        v["_id"]: v for v in sorted(verdicts, key=lambda v: v["revision"]) if v["revision"] > known.get(v["_id"], 0)
    }
    writes = [UpdateOne({"_id": name}, {"$set": {k: v for k, v in verdict.items() if k != "_id"}}, upsert=True)
              for name, verdict in newest.items()]  # fmt: skip
    if writes:
        await entries.bulk_write(writes, session=uow.session)


async def put_roll(uow: UnitOfWork, campaign: CampaignId, part: int, parts: int, ids: Sequence[ApplicationId]) -> None:
    """After the gate has closed the roll says nothing new, and does no harm."""
    await uow.db[DRAWS].update_one({"_id": campaign}, {"$inc": {"changes": 1}}, session=uow.session)
    key = f"{campaign}:{part}"
    line = {"campaign": campaign, "part": part, "parts": parts}
    await uow.db[ROLL_PARTS].update_one({"_id": key}, {"$set": line}, upsert=True, session=uow.session)
    writes = [UpdateOne({"_id": each}, {"$set": {"campaign": campaign}}, upsert=True) for each in ids]
    if writes:
        await uow.db[ROLL].bulk_write(writes, session=uow.session)


async def put_text(uow: UnitOfWork, name: str, text: str) -> None:
    """A text of any size, in parts below MongoDB's limit for a document."""
    parts = [text[at : at + _TEXT_PART] for at in range(0, len(text), _TEXT_PART)] or [""]
    version = secrets.token_hex(8)
    lines = [
        {"_id": f"{name}:{number:06d}", "name": name, "version": version, "parts": len(parts), "text": part}
        for number, part in enumerate(parts)
    ]
    await uow.db[TEXTS].insert_many(lines, session=uow.session)


async def replace_text(uow: UnitOfWork, name: str, text: str) -> None:
    await uow.db[TEXTS].delete_many(_parts_of(name), session=uow.session)
    await put_text(uow, name, text)


async def get_text(store: Store, name: str) -> str:
    """KeyError where there is none. A text that is replaced while its parts are read is read again."""
    for _ in range(_TEXT_TRIES):
        parts = await store.db[TEXTS].find(_parts_of(name)).sort("_id", 1).to_list(None)
        if parts and len(parts) == parts[0]["parts"] and len({part["version"] for part in parts}) == 1:
            return "".join(part["text"] for part in parts)
        if not parts and await store.db[TEXTS].count_documents(_parts_of(name), limit=1) == 0:
            raise KeyError(name)
    raise TransientError(f"{name} is being replaced; read it again in a moment")


def _parts_of(name: str) -> dict[str, Any]:
    return {"_id": {"$gte": f"{name}:", "$lt": f"{name};"}}


async def put_stamp(store: Store, draw: DrawId, kind: str, content: bytes, at: datetime) -> int:
    """Keep a time stamp of this draw's manifest; its number, from 1. Sent twice it is kept once."""
    line = {"draw": draw, "kind": kind, "content": content, "at": at.isoformat()}
    while (known := await store.db[STAMPS].find_one({"draw": draw, "content": content})) is None:
        number = await store.db[STAMPS].count_documents({"draw": draw}) + 1
        with suppress(DuplicateKeyError):  # somebody else took the number: take the next
            await store.db[STAMPS].insert_one({"_id": f"{draw}:{number}", "number": number, **line})
    return int(known["number"])
