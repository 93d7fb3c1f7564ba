"""Store released templates: every version with its bytes, who released it, and when. The newest one is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from shared.contracts import NoticeChannel
from shared.ids import CampaignId
from shared.storage import Collection, DuplicateKeyError, Index, Session, Store, UnitOfWork

COLLECTION: Final = "notice_templates"


@dataclass(frozen=True)
class ReleasedTemplate:
    """Version of a template that handlers released. `number` counts the releases of campaign, kind and channel."""

    campaign: CampaignId
    kind: str
    channel: NoticeChannel
    number: int
    sha256: str
    text: str
    released_by: str
    released_at: datetime

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        return cls(**{name: value for name, value in document.items() if name != "_id"})

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert."""
        return {"_id": f"{self.campaign}:{self.kind}:{self.channel}:{self.number}", **vars(self)}


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    text = {"bsonType": "string"}
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "kind", "channel", "number", "sha256", "text", "released_by", "released_at"],
        "properties": {
            "_id": text,
            "campaign": text,
            "kind": text,
            "channel": {"enum": ["mail", "card"]},
            "number": {"bsonType": "int", "minimum": 1},
            "sha256": {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"},
            "text": text,
            "released_by": text,
            "released_at": {"bsonType": "date"},
        },
        "additionalProperties": False,
    }
    keys = (("campaign", 1), ("kind", 1), ("channel", 1), ("number", -1))
    return [Collection(COLLECTION, schema, (Index(keys, unique=True),))]


class TemplateRepository:
    """Insert and find released versions; nothing changes or deletes one."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def insert(self, uow: UnitOfWork, released: ReleasedTemplate) -> bool:
        """Insert a version; return False if another release took its number, which ends the transaction."""
        try:
            await self._documents.insert_one(released.to_document(), session=uow.session)
        except DuplicateKeyError:
            return False
        return True

    async def newest(
        self, campaign: CampaignId, kind: str, channel: NoticeChannel, session: Session | None = None
    ) -> ReleasedTemplate | None:
        """Return the newest version; None if none was released."""
        query = {"campaign": campaign, "kind": kind, "channel": channel}
        found = await self._documents.find_one(query, sort=[("number", -1)], session=session)
        return ReleasedTemplate.from_document(found) if found else None

    async def newest_of_campaign(self, campaign: CampaignId) -> dict[tuple[str, NoticeChannel], ReleasedTemplate]:
        """Return the newest version of each kind and channel."""
        found = self._documents.find({"campaign": campaign}).sort("number", 1)
        versions = [ReleasedTemplate.from_document(document) async for document in found]
        return {(version.kind, version.channel): version for version in versions}
