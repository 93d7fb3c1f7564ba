"""Collections of the notifier's own database: names, schemas, indexes. No identity field exists in any of them."""

from typing import Any, Final

from services.notifier.rules.states import NoticeState, PrintBatchState
from shared.storage import Collection, Index

CONTACTS: Final = "contacts"
RESULTS: Final = "results"
OFFERS: Final = "offers"
NOTICES: Final = "notices"
PRINT_BATCHES: Final = "print_batches"

CAMPAIGN_LOCKS: Final = "campaign_locks"
"""One document per campaign that conflicting transactions write (`ApplicantRepository.serialise`)."""

PERSONAL: Final = (CONTACTS, RESULTS, OFFERS, NOTICES, PRINT_BATCHES)
"""Collections that an erasure empties of a campaign."""

_NOTICE: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "campaign", "application_id", "token", "occasion", "kind", "channel", "state"],
    "properties": {
        "kind": {"enum": ["rejected", "result", "offer"]},
        "channel": {"enum": ["mail", "post"]},
        "state": {"enum": [state.value for state in NoticeState]},
        "token": {"bsonType": "string", "pattern": "^tok_"},
        "attempts": {"bsonType": "int", "minimum": 0},
        "next_at": {"bsonType": "date"},
    },
}

_PRINT_BATCH: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "campaign", "notices", "state"],
    "properties": {"state": {"enum": [state.value for state in PrintBatchState]}},
}

_ONCE_PER_OCCASION: Final = Index((("application_id", 1), ("occasion", 1)), unique=True)
_NEXT_MAIL: Final = Index((("state", 1), ("next_at", 1)))
_BY_STATE: Final = Index((("campaign", 1), ("state", 1)))

COLLECTIONS: Final = (
    Collection(CONTACTS, None, (Index((("campaign", 1), ("receipt", 1))),), retired=("campaign_1",)),
    Collection(RESULTS, None, (Index("campaign"),)),
    Collection(OFFERS, None, (Index("campaign"), Index("application_id"))),
    Collection(
        NOTICES,
        _NOTICE,
        (_ONCE_PER_OCCASION, _NEXT_MAIL, _BY_STATE, Index("print_batch"), Index("claim")),
        retired=("application_id_1", "state_1_kind_1_next_at_1", "batch_id_1"),
    ),
    Collection(PRINT_BATCHES, _PRINT_BATCH, (Index("campaign"),)),
    Collection(CAMPAIGN_LOCKS),
)
