"""Store the sealing keys that the vault published, and hand them out unchanged.

Intake keeps a key only with the signature of the vault's pinned signing key; clients check it again
(`docs/protocols.md` §1). With a forged key the forger could read applications, or nobody could apply.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from shared.contracts import SealingKeyPublished
from shared.errors import PermanentError
from shared.ids import CampaignId, KeyId
from shared.signing import verify_document
from shared.storage import Store, UnitOfWork

SEALING_KEYS: Final = "sealing_keys"


@dataclass(frozen=True)
class SealingKey:
    """Hold a published key. `document` is the signed JSON text; `not_after` is the end of its use."""

    campaign: CampaignId
    key_id: KeyId
    not_after: datetime
    document: str

    @classmethod
    def from_event(cls, event: SealingKeyPublished, signed_by: Sequence[str]) -> Self:
        """Return the key of a message.

        Raises PermanentError if none of `signed_by` signed the document, or if it names another key or has no end.
        """
        if not any(verify_document(key, event.document) for key in signed_by):
            raise PermanentError("a sealing key document that the vault's signing key did not sign")
        document = json.dumps(event.document, ensure_ascii=False, separators=(",", ":"))
        return cls(event.campaign, event.key_id, _read_end(event), document)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        return cls(document["campaign"], document["key_id"], document["not_after"], document["document"])

    def to_document(self) -> dict[str, Any]:
        """Return the document to store."""
        return {
            "_id": _make_id(self.campaign, self.key_id),
            "campaign": self.campaign,
            "key_id": self.key_id,
            "not_after": self.not_after,
            "document": self.document,
        }


class SealingKeyRepository:
    """Read and write published keys; keys that were read once stay in memory, because a key never changes."""

    def __init__(self, store: Store) -> None:
        self._keys = store.db[SEALING_KEYS]
        self._cache: dict[str, SealingKey] = {}

    async def save(self, key: SealingKey, uow: UnitOfWork) -> None:
        """Write the key; writing the same key again changes nothing."""
        document = key.to_document()
        await uow.db[SEALING_KEYS].replace_one({"_id": document["_id"]}, document, upsert=True, session=uow.session)

    async def find(self, campaign: CampaignId, key_id: KeyId) -> SealingKey | None:
        """Return the key, or None where the vault has not published it."""
        cache_id = _make_id(campaign, key_id)
        if cache_id not in self._cache:
            document = await self._keys.find_one({"_id": cache_id})
            if document is None:
                return None
            self._cache[cache_id] = SealingKey.from_document(document)
        return self._cache[cache_id]

    async def find_current(self, campaign: CampaignId) -> SealingKey | None:
        """Return the key with the latest end, so that the order in which keys arrive does not matter."""
        latest = [("not_after", -1), ("key_id", -1)]
        document = await self._keys.find_one({"campaign": campaign}, sort=latest)
        return None if document is None else SealingKey.from_document(document)

    async def count(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's keys."""
        return int(await self._keys.count_documents({"campaign": campaign}))

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the campaign's keys, also from memory. Safe to repeat."""
        self._cache.clear()
        await self._keys.delete_many({"campaign": campaign})


def _make_id(campaign: CampaignId, key_id: KeyId) -> str:
    return f"{campaign}/{key_id}"


def _read_end(event: SealingKeyPublished) -> datetime:
    try:
        end = datetime.fromisoformat(event.document["not_after"])
    except (KeyError, TypeError, ValueError):
        raise PermanentError("a sealing key document without a `not_after`") from None
    named = (event.document.get("campaign"), event.document.get("key_id"))
    if named != (event.campaign, event.key_id) or end.tzinfo is None:
        raise PermanentError("a sealing key document that is not what its message says")
    return end
