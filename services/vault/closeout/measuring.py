"""What there is of a campaign in the vault, before and after: counts, samples, and whether a sample still opens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.vault.applications import index_repository
from services.vault.applications import repository as register
from services.vault.closeout.return_package import Returns
from services.vault.identities import repository as identities
from services.vault.keys.ciphers.envelope import NotDecryptableError, Sealed, unseal, wipe
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from services.vault.papers import repository as papers_repository
from services.vault.printroom import repository as print_repository
from shared.contracts import StoreErasure
from shared.erasure import Queues, count_outbox, judged_queues, judged_store
from shared.ids import CampaignId, Token
from shared.storage import OUTBOX, Store

ERASED: Final = (
    identities.COLLECTION,
    index_repository.COLLECTION,
    register.COLLECTION,
    print_repository.BATCHES,
    print_repository.CHUNKS,
    papers_repository.COLLECTION,
)
"""Collections of which nothing of the campaign may stay; every document in them names its campaign."""

PACKAGES: Final = "return package"
SAMPLES: Final = "sample decryption"
_SAMPLES: Final = 20


@dataclass(frozen=True)
class Measuring:
    store: Store
    keystore: Keystore
    queues: Queues
    returns: Returns

    async def counts(self, campaign: CampaignId) -> dict[str, int]:
        """Documents per collection, files waiting to be fetched, messages waiting to leave."""
        counted = {name: await self.store.db[name].count_documents({"campaign": campaign}) for name in ERASED}
        files = len(self.returns.files(campaign))
        return {**counted, PACKAGES: files, OUTBOX: await count_outbox(self.store, campaign)}

    async def samples(self, campaign: CampaignId) -> list[dict[str, Any]]:
        """Some identities as they lie there, encrypted: set aside to be tried once the key is gone."""
        chosen: list[dict[str, Any]] = [{"$match": {"campaign": campaign}}, {"$sample": {"size": _SAMPLES}}]
        wanted = ("_id", "wrapped_key", "ciphertext")
        cursor = self.store.db[identities.COLLECTION].aggregate(chosen)
        return [{name: document[name] for name in wanted} async for document in cursor]

    async def rows(
        self, campaign: CampaignId, before: Mapping[str, int], samples: list[dict[str, Any]]
    ) -> list[StoreErasure]:
        """One row per store, from reads of their own after the deletion."""
        after = await self.counts(campaign)
        opened = sum(self._opens(campaign, sample) for sample in samples)
        return [
            *(judged_store(name, before[name], after[name]) for name in (*ERASED, OUTBOX)),
            _judged_packages(before[PACKAGES], after[PACKAGES]),
            judged_store(SAMPLES, len(samples), opened),
            await judged_queues(self.queues),
        ]

    def _opens(self, campaign: CampaignId, sample: Mapping[str, Any]) -> bool:
        """Whether the sample can be read by this vault as it stands."""
        try:
            keys = self.keystore.campaign(campaign)
            sealed = Sealed(sample["wrapped_key"], sample["ciphertext"])
            wipe(unseal(keys.wrapping, sealed, identities.bound_to(campaign, Token(sample["_id"]))))
        except (KeyDestroyedError, NotDecryptableError, KeyError):
            return False
        return True


def _judged_packages(before: int, left: int) -> StoreErasure:
    """A return was confirmed, so there was a package; one that does not lie here was made by another instance."""
    if before:
        return judged_store(PACKAGES, before, left)
    note = "the package does not lie in this instance's folder; delete it where it was made"
    return StoreErasure(store=PACKAGES, before=None, after=None, residue=None, result="UNKNOWN", note=note)
