"""Sealing keys as the vault published them: public, signed by it, handed out byte for byte, never looked into.

Intake cannot check the signature, and need not: clients do (`docs/protocols.md` §1).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.contracts import SealingKeyPublished
from shared.errors import PermanentError
from shared.ids import CampaignId, KeyId
from shared.storage import Store, UnitOfWork

SEALING_KEYS: Final = "sealing_keys"


@dataclass(frozen=True)
class PublishedKey:
    """`document` is JSON text, ready to be served."""

    key_id: KeyId
    not_after: datetime
    document: str


class Keys:
    def __init__(self, store: Store) -> None:
        self._keys = store.db[SEALING_KEYS]
        self._known: dict[str, PublishedKey] = {}

    async def keep(self, event: SealingKeyPublished, uow: UnitOfWork) -> None:
        """Raises PermanentError for a document that is not of this campaign and key or names no end."""
        line = {
            "_id": _line_id(event.campaign, event.key_id),
            "campaign": event.campaign,
            "key_id": event.key_id,
            "not_after": _end(event),
            "document": json.dumps(event.document, ensure_ascii=False, separators=(",", ":")),
        }
        await uow.db[SEALING_KEYS].replace_one({"_id": line["_id"]}, line, upsert=True, session=uow.session)

    async def find(self, campaign: CampaignId, key_id: KeyId) -> PublishedKey | None:
        """A key never changes under its id, so one that was found is remembered."""
        line_id = _line_id(campaign, key_id)
        if line_id not in self._known:
            key = _key(await self._keys.find_one({"_id": line_id}))
            if key is None:
                return None
            self._known[line_id] = key
        return self._known[line_id]

    async def current(self, campaign: CampaignId) -> PublishedKey | None:
        """The key that lasts longest, so that the order in which keys arrive does not matter."""
        return _key(await self._keys.find_one({"campaign": campaign}, sort=[("not_after", -1), ("key_id", -1)]))


def _line_id(campaign: CampaignId, key_id: KeyId) -> str:
    return f"{campaign}/{key_id}"


def _end(event: SealingKeyPublished) -> datetime:
    try:
        end = datetime.fromisoformat(event.document["not_after"])
    except (KeyError, TypeError, ValueError):
        raise PermanentError("a sealing key document without a `not_after`") from None
    named = (event.document.get("campaign"), event.document.get("key_id"))
    if named != (event.campaign, event.key_id) or end.tzinfo is None:
        raise PermanentError("a sealing key document that is not what its message says")
    return end


def _key(line: Mapping[str, Any] | None) -> PublishedKey | None:
    return None if line is None else PublishedKey(line["key_id"], line["not_after"], line["document"])
