"""Publish sealing keys to intake: at the start, and again when a key was rotated. A repeated event changes nothing."""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.ciphers.opening import key_document
from services.vault.keys.keystore import CampaignKeyGoneError, KeyDestroyedError, Keystore
from shared.campaign import Campaign
from shared.contracts import SealingKeyPublished
from shared.ids import CampaignId, derived_event_id
from shared.logging import get_logger
from shared.periodic import PeriodicTasks
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

WATCH_S = 1.0
"""Seconds between two looks at the key folder."""


class SealingKeyPublisher:
    """Publish the present sealing key of each campaign, signed by the present signing key."""

    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog, campaigns: Iterable[Campaign]) -> None:
        self._store, self._keystore, self._audit, self._campaigns = store, keystore, audit, tuple(campaigns)
        self._published: dict[CampaignId, tuple[str, str]] = {}

    async def publish_all(self) -> None:
        """Publish one key per campaign, valid until paper can no longer arrive; erased campaigns get none."""
        for campaign in self._campaigns:
            try:
                until = campaign.window.paper_until
                await asyncio.to_thread(self._keystore.ensure_campaign, campaign.id, until)
            except CampaignKeyGoneError as error:
                _log.error("campaign-key-gone", campaign=campaign.id, reason=str(error))
                continue
            except KeyDestroyedError:
                _log.info("campaign-erased", campaign=campaign.id)
                continue
            await self._publish(campaign.id)

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Look for rotated keys while the block runs."""
        return PeriodicTasks(self._campaigns, [self.publish_rotated], every_s=WATCH_S).running()

    async def publish_rotated(self, campaign: Campaign) -> None:
        """Publish the campaign's key again where it, or the signing key, is another than the published one."""
        before = self._published.get(campaign.id)
        if before is None or self._keystore.locked or self._keystore.fingerprint_of_destroyed(campaign.id):
            return
        sealing, signing = self._keystore.campaign(campaign.id).current.key_id, self._keystore.signing.name
        for kind, old, new in zip(("sealing", "signing"), before, (sealing, signing), strict=True):
            if old != new:
                line = AuditEvent("vault", "system", "rotate-key", kind, campaign.id, None, f"{old} to {new}")
                await self._audit.record([line])
        if (sealing, signing) != before:
            await self._publish(campaign.id)

    async def _publish(self, campaign: CampaignId) -> None:
        secret, signing = self._keystore.campaign(campaign).current, self._keystore.signing
        signed_by, document = signing.name, key_document(campaign, secret, signing)
        event = SealingKeyPublished(campaign=campaign, key_id=secret.key_id, document=document)

        async def work(uow: UnitOfWork) -> None:
            await uow.emit(event, derived_event_id(event.name, event.campaign, event.key_id, signed_by))

        await self._store.transact(work)
        self._published[campaign] = secret.key_id, signed_by
