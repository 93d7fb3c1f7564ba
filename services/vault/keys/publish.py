"""Make sealing keys at the start and publish them to intake; a repeated event changes nothing."""

from collections.abc import Iterable

from services.vault.keys.ciphers.opening import key_document
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from shared.campaign import Campaign
from shared.contracts import SealingKeyPublished
from shared.ids import derived_event_id
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


async def publish_sealing_keys(store: Store, keystore: Keystore, campaigns: Iterable[Campaign]) -> None:
    """Publish one key per campaign, valid until paper can no longer arrive; erased campaigns get none."""
    for campaign in campaigns:
        try:
            keys = keystore.ensure_campaign(campaign.id, campaign.window.paper_until)
        except KeyDestroyedError:
            _log.info("campaign-erased", campaign=campaign.id)
            continue
        secret = keys.current
        document = key_document(campaign.id, secret, keystore.signing)
        event = SealingKeyPublished(campaign=campaign.id, key_id=secret.key_id, document=document)

        async def work(uow: UnitOfWork, event: SealingKeyPublished = event) -> None:
            await uow.emit(event, derived_event_id(event.name, event.campaign, event.key_id))

        await store.transact(work)
