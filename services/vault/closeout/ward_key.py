"""The ward's public key for returns: fixed by an approval of both sides, and no package goes to another key (R-C6)."""

from datetime import UTC, datetime
from typing import Any, Final

import pyrage

from services.vault.closeout.refusals import CloseOutRefusedError
from shared.approvals import Act, ApprovalGate, ApprovalId, ApprovalKind
from shared.ids import CampaignId
from shared.storage import Collection, Store, UnitOfWork

COLLECTION: Final = "ward_keys"


def collections() -> list[Collection]:
    """Return the collection of the ward's keys, one document for each campaign."""
    text = {"bsonType": "string"}
    properties = {"_id": text, "recipient": text, "approval": text, "fixed_at": {"bsonType": "date"}}
    schema = {
        "bsonType": "object",
        "required": [*properties],
        "properties": properties,
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema)]


class WardKeys:
    """Fix and find the ward's age public keys."""

    def __init__(self, store: Store, gate: ApprovalGate) -> None:
        self._store, self._gate = store, gate

    async def find(self, campaign: CampaignId) -> str | None:
        """Return the key (`age1…`), or None before one is fixed."""
        found = await self._store.db[COLLECTION].find_one({"_id": campaign})
        return None if found is None else str(found["recipient"])

    async def fix(self, campaign: CampaignId, recipient: str, approval_id: ApprovalId, actor: str) -> None:
        """Fix the key; a later approval replaces it. Raises CloseOutRefusedError, ApprovalRefusedError."""
        parse_recipient(recipient)
        act = Act(ApprovalKind.WARD_KEY, campaign, {"recipient": recipient}, actor)

        async def write(uow: UnitOfWork) -> None:
            await self._gate.execute(uow, approval_id, act)
            fixed: dict[str, Any] = {"recipient": recipient, "approval": approval_id, "fixed_at": datetime.now(UTC)}
            await uow.db[COLLECTION].update_one({"_id": campaign}, {"$set": fixed}, upsert=True, session=uow.session)

        await self._store.transact(write)


def parse_recipient(text: str) -> pyrage.x25519.Recipient:
    """Return the key. Raises CloseOutRefusedError for a text that is none."""
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise CloseOutRefusedError("unknown-recipient") from None
