"""Look for people by decrypting every identity of a campaign in memory (ADR 40).

Nothing is indexed in the clear and nothing is kept: each buffer is wiped before the next is opened. The work runs in a
thread, chunk by chunk, so that the process goes on answering.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from services.vault.identities.repository import COLLECTION, bound_to
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import NotDecryptableError, Sealed, unseal, wipe
from services.vault.telephone.rules.query import PersonQuery
from shared.ids import ApplicationId, CampaignId, Token
from shared.storage import Store

MOST_SCANNED: Final = 200_000
"""Identities that one search opens at most: a campaign has 2,000 applications (R-B10), the largest tried one 20,000."""

MOST_FOUND: Final = 500
"""People at whom a search stops: a list shows a hundred, and who finds more must search for more."""

_CHUNK: Final = 2000
_WANTED: Final = {"application_id": 1, "wrapped_key": 1, "ciphertext": 1}


class IdentityScan:
    """Find applications by their people; the caller writes the audit line before it uses them."""

    def __init__(self, store: Store) -> None:
        self._identities = store.db[COLLECTION]

    async def find(self, campaign: CampaignId, keys: CampaignKeys, query: PersonQuery) -> list[ApplicationId]:
        """Return the applications of people whom the query fits, MOST_FOUND at most; damaged ones are passed over."""
        found: list[ApplicationId] = []
        chunk: list[Mapping[str, Any]] = []
        cursor = self._identities.find({"campaign": campaign}, _WANTED, batch_size=_CHUNK).limit(MOST_SCANNED)
        async for document in cursor:
            chunk.append(document)
            if len(chunk) == _CHUNK:
                found += await asyncio.to_thread(_matching, campaign, keys, query, chunk)
                chunk = []
                if len(found) >= MOST_FOUND:
                    return found[:MOST_FOUND]
        found += await asyncio.to_thread(_matching, campaign, keys, query, chunk)
        return found[:MOST_FOUND]


def _matching(
    campaign: CampaignId, keys: CampaignKeys, query: PersonQuery, documents: Sequence[Mapping[str, Any]]
) -> list[ApplicationId]:
    fits = (document for document in documents if _matches(campaign, keys, query, document))
    return [ApplicationId(document["application_id"]) for document in islice(fits, MOST_FOUND)]


def _matches(campaign: CampaignId, keys: CampaignKeys, query: PersonQuery, document: Mapping[str, Any]) -> bool:
    """Open one identity and compare it."""
    sealed = Sealed(document["wrapped_key"], document["ciphertext"])
    try:
        plaintext = unseal(keys.wrapping, sealed, bound_to(campaign, Token(document["_id"])))
    except NotDecryptableError:
        return False
    try:
        return all(part in plaintext for part in query.certain_bytes) and query.matches(json.loads(plaintext)["person"])
    finally:
        wipe(plaintext)
