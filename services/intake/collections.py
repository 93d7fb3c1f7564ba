"""Define the collections of intake's database. A member that is not named here cannot be written (R-C3)."""

from typing import Any, Final

from services.intake.applications.repository import APPLICATIONS
from services.intake.campaigns.sealing_key_repository import SEALING_KEYS
from services.intake.campaigns.stage_repository import CAMPAIGNS
from services.intake.papers.repository import PAPERS
from services.intake.rules.paper_states import PaperStatus
from services.intake.rules.states import Stage, Status
from shared.storage import Collection, Index

_TEXT: Final = {"bsonType": "string"}
_DATE: Final = {"bsonType": "date"}
_NUMBER: Final = {"bsonType": ["int", "long"]}
_PENDING_S: Final = 24 * 3600
"""Age in seconds at which the database deletes an application that was never completed."""


def _closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "bsonType": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


COLLECTIONS: Final = (
    Collection(
        APPLICATIONS,
        _closed(
            {
                "_id": _TEXT,
                "campaign": _TEXT,
                "channel": {"enum": ["web", "fax", "post"]},
                "fingerprint": {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"},
                "receipt": _TEXT,
                "status": {"enum": [status.value for status in Status]},
                "reasons": {"bsonType": "array", "items": {"bsonType": "string", "pattern": "^[a-z][a-z-]{1,40}$"}},
                "revision": _NUMBER,
                "recorded_at": _DATE,
            },
            {"pending_since": _DATE},
        ),
        (
            Index((("campaign", 1), ("receipt", 1)), unique=True),
            Index((("campaign", 1), ("status", 1), ("_id", 1))),
            Index("pending_since", expire_after_s=_PENDING_S),
        ),
    ),
    Collection(
        PAPERS,
        _closed(
            {
                "_id": _TEXT,
                "campaign": _TEXT,
                "channel": {"enum": ["fax", "post"]},
                "serial": {"bsonType": "string", "pattern": "^[A-Za-z0-9-]{1,32}$"},
                "fingerprint": {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"},
                "receipt": _TEXT,
                "status": {"enum": [status.value for status in PaperStatus]},
            },
            {"pending_since": _DATE},
        ),
        (
            Index((("campaign", 1), ("receipt", 1)), unique=True),
            Index((("campaign", 1), ("serial", 1)), unique=True),
            Index((("campaign", 1), ("status", 1))),
            Index("pending_since", expire_after_s=_PENDING_S),
        ),
    ),
    Collection(
        SEALING_KEYS,
        _closed({"_id": _TEXT, "campaign": _TEXT, "key_id": _TEXT, "not_after": _DATE, "document": _TEXT}),
        (Index((("campaign", 1), ("not_after", -1))),),
    ),
    Collection(
        CAMPAIGNS,
        _closed(
            {"_id": _TEXT, "stage": {"enum": [stage.value for stage in Stage]}},
        ),
    ),
)
