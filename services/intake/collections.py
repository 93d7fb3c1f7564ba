"""Define the collections of intake's database. A member that is not named here cannot be written (R-C3)."""

from typing import Any, Final

from services.intake.applications.repository import APPLICATIONS
from services.intake.applications.version_repository import VERSIONS
from services.intake.campaigns.sealing_key_repository import SEALING_KEYS
from services.intake.campaigns.stage_repository import CAMPAIGNS
from services.intake.papers.repository import PAPERS
from services.intake.receipts.key_repository import RECEIPT_KEYS
from services.intake.rules.paper_states import PaperStatus
from services.intake.rules.states import Stage, Status
from shared.storage import Collection, Index

_TEXT: Final = {"bsonType": "string"}
_DATE: Final = {"bsonType": "date"}
_NUMBER: Final = {"bsonType": ["int", "long"]}
_HASH: Final = {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"}
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
                "fingerprint": _HASH,
                "proof_sha256": _HASH,
                "receipt": _TEXT,
                "document": _TEXT,
                "version": _NUMBER,
                "line": _HASH,
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
        VERSIONS,
        _closed(
            {
                "_id": _TEXT,
                "application_id": _TEXT,
                "campaign": _TEXT,
                "version": _NUMBER,
                "fingerprint": _HASH,
                "document": _TEXT,
            }
        ),
        (Index((("application_id", 1), ("fingerprint", 1)), unique=True), Index("campaign")),
    ),
    Collection(
        PAPERS,
        _closed(
            {
                "_id": _TEXT,
                "campaign": _TEXT,
                "channel": {"enum": ["fax", "post"]},
                "serial": {"bsonType": "string", "pattern": "^[A-Za-z0-9-]{1,32}$"},
                "fingerprint": _HASH,
                "receipt": _TEXT,
                "document": _TEXT,
                "line": _HASH,
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
        RECEIPT_KEYS,
        _closed({"_id": _TEXT, "campaign": _TEXT, "key": {"bsonType": "binData"}}),
    ),
    Collection(
        CAMPAIGNS,
        _closed(
            {"_id": _TEXT, "stage": {"enum": [stage.value for stage in Stage]}},
            {"versions": _NUMBER, "drawn": {"bsonType": "bool"}},
        ),
    ),
)
