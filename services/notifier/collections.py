"""Collections of the notifier's own database: names, schemas, indexes. No identity field exists in any of them."""

from typing import Any, Final

from services.notifier.rules.states import NoticeState, PrintBatchState
from shared.storage import Collection, Index

CONTACTS: Final = "contacts"
SLIPS: Final = "slips"
NOTICES: Final = "notices"
PRINT_BATCHES: Final = "print_batches"
ANNOUNCEMENTS: Final = "announcements"

CAMPAIGN_LOCKS: Final = "campaign_locks"
"""One document per campaign that conflicting transactions write (`ApplicantRepository.serialise`)."""

PERSONAL: Final = (CONTACTS, SLIPS, NOTICES, PRINT_BATCHES, ANNOUNCEMENTS)
"""Collections that an erasure empties of a campaign."""

_TOKEN: Final = {"bsonType": "string", "pattern": "^tok_"}

_CONTACT: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id", "campaign", "receipt", "contact", "status", "version", "revision"],
    "properties": {
        "_id": _TOKEN,
        "campaign": {"bsonType": "string"},
        "receipt": {"bsonType": "string"},
        "contact": {"enum": ["mail", "post", "telephone"]},
        "mail_domain_class": {"bsonType": ["string", "null"]},
        "status": {"enum": ["complete", "rejected", "same-person", "undecided"]},
        "left_out_of": {"bsonType": ["int", "long", "null"]},
        "version": {"bsonType": ["int", "long"]},
        "revision": {"bsonType": ["int", "long"]},
    },
}

_SLIP: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id", "campaign", "n", "slip", "occasions"],
    "properties": {
        "_id": _TOKEN,
        "campaign": {"bsonType": "string"},
        "n": {"bsonType": ["int", "long"]},
        "slip": {"bsonType": "object"},
        "occasions": {"bsonType": "array"},
    },
}

_NOTICE: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "campaign", "token", "kind", "n", "channel", "way", "state", "document"],
    "properties": {
        "channel": {"enum": ["mail", "post"]},
        "way": {"enum": ["mail", "card"]},
        "state": {"enum": [state.value for state in NoticeState]},
        "token": _TOKEN,
        "attempts": {"bsonType": "int", "minimum": 0},
        "mails": {"bsonType": "int", "minimum": 0, "maximum": 2},
        "next_at": {"bsonType": "date"},
    },
}

_PRINT_BATCH: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "campaign", "notices", "state"],
    "properties": {"state": {"enum": [state.value for state in PrintBatchState]}},
}

_ONCE: Final = Index((("token", 1), ("kind", 1), ("n", 1)), unique=True)
_NEXT_ORDER: Final = Index((("campaign", 1), ("bulk", 1), ("state", 1), ("next_at", 1)))
_COUNTED: Final = Index((("campaign", 1), ("kind", 1), ("n", 1), ("channel", 1), ("state", 1)))

COLLECTIONS: Final = (
    Collection(CONTACTS, _CONTACT, (Index((("campaign", 1), ("receipt", 1))),), retired=("campaign_1",)),
    Collection(SLIPS, _SLIP, (Index("campaign"),)),
    Collection(NOTICES, _NOTICE, (_ONCE, _NEXT_ORDER, _COUNTED, Index("print_batch"), Index("document"))),
    Collection(PRINT_BATCHES, _PRINT_BATCH, (Index("campaign"),)),
    Collection(ANNOUNCEMENTS, None, (Index((("campaign", 1), ("number", 1)), unique=True),)),
    Collection(CAMPAIGN_LOCKS),
)
