"""Papers at rest: encrypted like identities, under a data key of their own ← the campaign's key (R-C8, R-C9).

A document of the database holds 16 MB at most; a paper has 8 MiB.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal
from services.vault.papers.rules.states import PaperState
from shared.contracts import PaperReceived
from shared.ids import CampaignId, PaperId
from shared.paper_files import Look
from shared.storage import Collection, Index

COLLECTION: Final = "papers"
_SHOWN: Final = ("_id", "receipt", "channel", "serial", "received_at", "state", "reason", "pages", "application_ids")


def collections() -> list[Collection]:
    text = {"bsonType": "string"}
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "receipt", "channel", "serial", "received_at", "taken_at", "state"],
        "properties": {
            "_id": text,
            "campaign": text,
            "receipt": text,
            "channel": {"enum": ["fax", "post"]},
            "serial": {"bsonType": "string", "pattern": "^[A-Za-z0-9-]{1,32}$"},
            "received_at": {"bsonType": "date"},
            "taken_at": {"bsonType": "date"},
            "state": {"enum": [state.value for state in PaperState]},
            "reason": {"bsonType": ["string", "null"], "pattern": "^[a-z][a-z-]{1,40}$"},
            "kind": {"bsonType": ["string", "null"]},
            "pages": {"bsonType": ["int", "null"]},
            "wrapped_key": {"bsonType": ["binData", "null"]},
            "ciphertext": {"bsonType": ["binData", "null"]},
            "application_ids": {"bsonType": "array", "items": text},
            "settled_by": text,
        },
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index((("campaign", 1), ("taken_at", 1))),))]


def bound_to(campaign: CampaignId, paper_id: PaperId) -> str:
    """What a paper's ciphertext is tied to: put under another id, it does not open."""
    return f"kuji/paper/1\x00{campaign}\x00{paper_id}"


def paper_document(
    keys: CampaignKeys,
    event: PaperReceived,
    *,
    state: PaperState,
    taken_at: datetime,
    content: bytes | None,
    look: Look | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """The document to insert. `content` is None where nothing could be opened."""
    sealed = None if content is None else seal(keys.wrapping, content, bound_to(event.campaign, event.paper_id))
    return {
        "_id": event.paper_id,
        "campaign": event.campaign,
        "receipt": event.receipt,
        "channel": event.channel,
        "serial": event.serial,
        "received_at": event.received_at,
        "taken_at": taken_at,
        "state": state,
        "reason": reason,
        "kind": None if look is None else look.kind.value,
        "pages": None if look is None else look.pages,
        "wrapped_key": None if sealed is None else sealed.wrapped_key,
        "ciphertext": None if sealed is None else sealed.ciphertext,
        "application_ids": [],
    }


def open_paper(keys: CampaignKeys, document: Mapping[str, Any]) -> bytes:
    """The file. Raises NotDecryptableError."""
    where = bound_to(CampaignId(document["campaign"]), PaperId(document["_id"]))
    return bytes(unseal(keys.wrapping, Sealed(document["wrapped_key"], document["ciphertext"]), where))


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """A paper in a list: JSON-ready, nothing of its content."""
    found = {name.lstrip("_"): document.get(name) for name in _SHOWN}
    return found | {"received_at": document["received_at"].isoformat()}


NOT_THE_FILE: Final = {"wrapped_key": 0, "ciphertext": 0}
"""Projection for everything that does not show the paper itself."""
