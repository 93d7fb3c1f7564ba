"""Name the collections of the draw and declare their rules and indexes. Only repositories use the names."""

from typing import Final

from services.lottery.draw.rules.states import DrawState
from shared.storage import Collection, Index
from shared.storage.leases import LEASES

DRAWS: Final = "draws"
PAST_DRAWS: Final = "past_draws"
ENTRIES: Final = "entries"
ROLL: Final = "roll"
ROLL_PARTS: Final = "roll_parts"
SEARCHES: Final = "searches"
LISTS: Final = "lists"
OUTCOMES: Final = "outcomes"
TEXTS: Final = "texts"
STAMPS: Final = "stamps"
NOTICE_COUNTS: Final = "notice_counts"

PERSONAL: Final = (ENTRIES, ROLL, ROLL_PARTS, OUTCOMES)
"""Collections that an erasure empties: they hold tokens, or ids that the public transcript does not contain."""

_STRING: Final = {"bsonType": "string"}
_OPTIONAL_STRING: Final = {"bsonType": ["string", "null"]}
_ARRAY: Final = {"bsonType": "array"}

_ENTRY: Final = {
    "bsonType": "object",
    "required": ["_id", "campaign", "receipt", "state", "version", "channel", "revision"],
    "properties": {
        "_id": _STRING,
        "campaign": _STRING,
        "state": {"enum": ["accepted", "rejected", "held"]},
        "channel": {"enum": ["web", "fax", "post"]},
        "revision": {"bsonType": ["int", "long"]},
        "receipt": _STRING,
        "version": {"bsonType": ["int", "long"], "minimum": 1},
        "entry": _OPTIONAL_STRING,
        "proof_sha256": _OPTIONAL_STRING,
        "token": _OPTIONAL_STRING,
        "verdict": {"enum": ["rejected", "withdrawn", "superseded", "discarded", None]},
        "choices": _ARRAY,
        "eligible": _ARRAY,
        "refused": _ARRAY,
        "reasons": _ARRAY,
        "erased": {"bsonType": "bool"},
    },
    "additionalProperties": False,
}
_ROLL_LINE: Final = {
    "bsonType": "object",
    "required": ["_id", "campaign", "version", "line"],
    "properties": {
        "_id": _STRING,
        "campaign": _STRING,
        "version": {"bsonType": ["int", "long"], "minimum": 1},
        "line": _STRING,
    },
    "additionalProperties": False,
}
_DRAW: Final = {
    "bsonType": "object",
    "required": ["_id", "state"],
    "properties": {"state": {"enum": list(DrawState)}},
}


def collections() -> list[Collection]:
    """Return the declarations that the service applies at every start."""
    by_campaign = Index("campaign")
    in_order = Index((("campaign", 1), ("state", 1), ("entry", 1)))
    once = Index("entry", unique=True, where={"entry": {"$type": "string"}})
    return [
        Collection(DRAWS, _DRAW),
        Collection(PAST_DRAWS, None, (Index((("campaign", 1), ("number", 1)), unique=True),)),
        Collection(ENTRIES, _ENTRY, (in_order, once)),
        Collection(ROLL, _ROLL_LINE, (Index((("campaign", 1), ("line", 1))),)),
        Collection(ROLL_PARTS, None, (by_campaign,)),
        Collection(SEARCHES, None, (by_campaign,)),
        Collection(LISTS, None, (Index("draw"),)),
        Collection(OUTCOMES, None, (by_campaign,), retired=("token_1",)),
        Collection(TEXTS),
        Collection(STAMPS, None, (Index("draw"),)),
        Collection(NOTICE_COUNTS),
        Collection(LEASES),
    ]
