"""Store what handlers did about one application at the telephone desk: act, reason code, handler and time."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.ids import ApplicationId, CampaignId
from shared.storage import Collection, Index, Store, UnitOfWork

COLLECTION: Final = "application_acts"


@dataclass(frozen=True)
class ApplicationAct:
    """One act. `detail`: number of the sealed version, or kind and channel of a notice; never a value of a person."""

    campaign: CampaignId
    application_id: ApplicationId
    act: str
    reason: str
    actor: str
    at: datetime
    detail: str = ""


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    text = {"bsonType": "string"}
    code = {"bsonType": "string", "pattern": "^[a-z][a-z-]{1,40}$"}
    names = ("_id", "campaign", "application_id", "actor", "detail")
    schema = {
        "bsonType": "object",
        "required": [*names, "act", "reason", "at"],
        "properties": {**dict.fromkeys(names, text), "act": code, "reason": code, "at": {"bsonType": "date"}},
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index((("application_id", 1), ("at", 1))), Index("campaign")))]


class ActRepository:
    """Insert acts and read those of one application."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def insert(self, act: ApplicationAct, uow: UnitOfWork | None = None) -> None:
        """Insert an act, within the unit of work if there is one."""
        await self._documents.insert_one(
            {"_id": secrets.token_hex(12), **vars(act)}, session=uow.session if uow else None
        )

    async def of(self, application_id: ApplicationId) -> list[ApplicationAct]:
        """Return the acts about an application, the oldest first."""
        found = self._documents.find({"application_id": application_id}, {"_id": 0}).sort("at", 1)
        return [ApplicationAct(**document) async for document in found]
