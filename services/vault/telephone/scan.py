"""Look for people by decrypting every identity of a campaign in memory (ADR 40).

Nothing is indexed in the clear and nothing is kept: each buffer is wiped before the next is opened. The work runs in a
thread, batch by batch, so that the process goes on answering; the next batch is read meanwhile.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from services.vault.applications.rules.match_keys import Readings
from services.vault.identities.person import read_searched
from services.vault.identities.repository import COLLECTION, bound_to
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import NotDecryptableError, Unsealer, wipe
from services.vault.telephone.rules.query import PersonComparison, PersonQuery
from shared.ids import ApplicationId, CampaignId, Token
from shared.storage import Store, documents_of

MOST_SCANNED: Final = 200_000
"""Identities that one search opens at most: a campaign has 2,000 applications (R-B10), the largest tried one 20,000."""

MOST_FOUND: Final = 500
"""People at whom a search stops: a list shows a hundred, and who finds more must search for more."""

_BATCH: Final = 2000
_WANTED: Final = {"application_id": 1, "wrapped_key": 1, "ciphertext": 1}


class IdentityScan:
    """Find applications by their people; the caller writes the audit line before it uses them."""

    def __init__(self, store: Store, readings: Readings) -> None:
        self._identities, self._readings = store.db[COLLECTION], readings

    async def find(self, campaign: CampaignId, keys: CampaignKeys, query: PersonQuery) -> list[ApplicationId]:
        """Return the applications of people whom the query fits, MOST_FOUND at most; damaged ones are passed over."""
        work = _Scan(campaign, keys, query, self._readings)
        batches: Any = self._identities.find_raw_batches(
            {"campaign": campaign}, _WANTED, batch_size=_BATCH, limit=MOST_SCANNED
        )
        found: list[ApplicationId] = []
        try:
            batch: bytes = await anext(batches, b"")
            while batch and len(found) < MOST_FOUND:
                reading = asyncio.ensure_future(anext(batches, b""))
                try:
                    found += await asyncio.to_thread(work.search, batch)
                finally:
                    batch = await reading
        finally:
            await batches.close()
        return found[:MOST_FOUND]


class _Scan:
    """One search: its comparison and its cipher are gone when it ends."""

    def __init__(self, campaign: CampaignId, keys: CampaignKeys, query: PersonQuery, readings: Readings) -> None:
        self._campaign, self._unsealer = campaign, Unsealer(keys.wrapping)
        self._comparison, self._certain = PersonComparison(query, readings), query.certain_bytes

    def search(self, batch: bytes) -> list[ApplicationId]:
        """Return the applications of the people in a batch of documents (BSON) whom the query fits."""
        return list(self._fitting(batch))

    def _fitting(self, batch: bytes) -> Iterator[ApplicationId]:
        for document in documents_of(batch):
            try:
                plaintext = self._unsealer.unseal(
                    document["wrapped_key"], document["ciphertext"], bound_to(self._campaign, Token(document["_id"]))
                )
            except NotDecryptableError:
                continue
            try:
                certain = all(part in plaintext for part in self._certain)
                if certain and self._comparison.fits(read_searched(plaintext)):
                    yield ApplicationId(document["application_id"])
            finally:
                wipe(plaintext)
