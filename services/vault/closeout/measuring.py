"""Measure what the vault holds of a campaign: counts, samples, and the attempt to decrypt the samples."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.vault.applications import act_repository, index_repository, pair_repository, subject_request_repository
from services.vault.applications import repository as register
from services.vault.closeout.campaign_folders import CampaignFolders
from services.vault.closeout.person_names import count_named, forget_names
from services.vault.closeout.rules.record import Sample
from services.vault.closeout.rules.required_stores import PACKAGES, SAMPLES
from services.vault.deliveries import left_out_repository, published_draws_repository, slips_repository
from services.vault.deliveries import repository as deliveries
from services.vault.identities import repository as identities
from services.vault.keys.ciphers.envelope import NotDecryptableError, Sealed, unseal, wipe
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from services.vault.papers import counts_repository, draft_repository, keying_repository, seeded_repository
from services.vault.papers import repository as papers_repository
from services.vault.printroom import repository as print_repository
from shared.contracts import StoreErasure
from shared.contracts.closing import PERSON_ERASURES
from shared.erasure import Queues, count_own_records, delete_own_records, judge_messages, judge_store
from shared.ids import CampaignId, Token
from shared.json_types import JsonObject
from shared.storage import Store, delete_in_chunks

ERASED: Final = (
    identities.COLLECTION,
    index_repository.COLLECTION,
    pair_repository.COLLECTION,
    register.COLLECTION,
    act_repository.COLLECTION,
    subject_request_repository.COLLECTION,
    print_repository.BATCHES,
    print_repository.CHUNKS,
    papers_repository.COLLECTION,
    draft_repository.COLLECTION,
    keying_repository.KEYINGS,
    keying_repository.HOLDS,
    counts_repository.COLLECTION,
    seeded_repository.COLLECTION,
    deliveries.COLLECTION,
    left_out_repository.COLLECTION,
    published_draws_repository.COLLECTION,
    slips_repository.SLIPS,
    slips_repository.COUNTS,
)
"""Collections that the erasure empties of the campaign; each of their documents names its campaign."""

_SAMPLES: Final = 20


@dataclass(frozen=True)
class VaultStores:
    """Count, delete and measure the vault's own stores."""

    store: Store
    keystore: Keystore
    queues: Queues
    folders: CampaignFolders

    async def counts(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of documents by collection and of files by folder."""
        counted = {name: await self.store.db[name].count_documents({"campaign": campaign}) for name in ERASED}
        files = await asyncio.to_thread(self.folders.counts, campaign)
        people = await count_named(self.store, campaign)
        return {**counted, **files, **await count_own_records(self.store, campaign), PERSON_ERASURES: people}

    async def delete(self, campaign: CampaignId) -> int:
        """Delete everything of the campaign; return the number of parked messages that were discarded."""
        for name in ERASED:
            await delete_in_chunks(self.store.db[name], {"campaign": campaign})
        await delete_own_records(self.store, campaign)
        await forget_names(self.store, campaign)
        await asyncio.to_thread(self.folders.remove, campaign)
        return await self.queues.purge_campaign(campaign)

    async def samples(self, campaign: CampaignId) -> list[JsonObject]:
        """Return up to 20 identities as they are stored, encrypted, to be tried once the key is destroyed."""
        chosen: list[dict[str, Any]] = [{"$match": {"campaign": campaign}}, {"$sample": {"size": _SAMPLES}}]
        cursor = self.store.db[identities.COLLECTION].aggregate(chosen)
        return [
            {"token": found["_id"], "wrapped_key": found["wrapped_key"], "ciphertext": found["ciphertext"]}
            async for found in cursor
        ]

    async def rows(
        self, campaign: CampaignId, before: Mapping[str, int], samples: Sequence[Sample], discarded: int
    ) -> list[StoreErasure]:
        """Return one row for each store, from reads after the deletion."""
        after = await self.counts(campaign)
        opened = sum(self._opens(campaign, sample) for sample in samples)
        return [
            *(_judge(name, before.get(name, 0), left) for name, left in after.items()),
            judge_store(SAMPLES, len(samples), opened),
            *await judge_messages(self.queues, campaign, discarded),
        ]

    def _opens(self, campaign: CampaignId, sample: Sample) -> bool:
        """Return True if this vault can decrypt the sample."""
        try:
            keys = self.keystore.campaign(campaign)
            sealed = Sealed(sample.wrapped_key, sample.ciphertext)
            wipe(unseal(keys.wrapping, sealed, identities.bound_to(campaign, Token(sample.token))))
        except (KeyDestroyedError, NotDecryptableError, KeyError):
            return False
        return True


def _judge(store: str, before: int, left: int) -> StoreErasure:
    """Return the row. A return was confirmed, so a package without a file was made by another vault process."""
    if store != PACKAGES or before or left:
        return judge_store(store, before, left)
    note = "the package is not in this process's folder; delete it where it was made"
    return StoreErasure(store=PACKAGES, before=None, after=None, residue=None, result="UNKNOWN", note=note)
