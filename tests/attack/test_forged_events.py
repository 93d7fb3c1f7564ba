"""Attacks a2, a3 and a4: events in the name of another service, by a service that was taken over.

Each succeeded on commit 684719a, where a `CC` header led past the topic permissions and nothing was signed.
"""

import json

import pytest

from shared.contracts import ApplicationsAccepted, ErasureRequested, SealingKeyPublished
from shared.ids import CampaignId, KeyId
from shared.messaging.names import Names
from shared.service_keys import ServiceKey
from shared.signing import SigningKey
from shared.storage import Store
from tests.support.attacked_installation import Installation, settle
from tests.support.attacker import Attacker
from tests.support.message_samples import SAMPLES
from tests.support.waiting import until

CAMPAIGN = CampaignId("777-days")
ENTRY = next(event for event in SAMPLES if isinstance(event, ApplicationsAccepted)).model_copy(
    update={"campaign": CAMPAIGN}
)
ERASE = ErasureRequested(campaign=CAMPAIGN, erasure_id="erasure-forged")


async def genuine_entry(installation: Installation) -> None:
    """Publish an entry as the vault does."""
    async with installation.attacker("vault") as vault:
        (message,) = vault.forgeries(ENTRY.name, ENTRY.to_json(), "vault", ENTRY.name)[1:2]
        await vault.publish(ENTRY.name, [message], {})


@pytest.mark.parametrize("copies", ["CC", "BCC"])
async def test_a2_an_entry_invented_with_the_credentials_of_intake_is_not_stored(
    installation: Installation, copies: str
) -> None:
    """Before: intake's user published an allowed event with `CC: [application.accepted]`; the invented entry won."""
    async with installation.lottery() as store, installation.attacker("intake") as intake:
        forged = intake.forgeries(ENTRY.name, ENTRY.to_json(), "vault", "receipts.closed")
        await intake.publish("application.received", forged, {copies: [ENTRY.name]})
        await settle(intake, "lottery", len(forged))

        assert await store.db["entries"].count_documents({}) == 0
        await genuine_entry(installation)
        await until(lambda: _has_entries(store, len(ENTRY.items)))


async def test_a2_a_delay_queue_leads_no_forged_entry_to_the_lottery(installation: Installation) -> None:
    """Before: the broker sent copies of an expired message to any queue, past all permissions."""
    async with installation.lottery() as store, installation.attacker("intake") as intake:
        forged = intake.forgeries(ENTRY.name, ENTRY.to_json(), "vault", "receipts.closed")
        names = Names()
        own, target = names.queue("intake", "application.decided"), names.queue("lottery", ENTRY)
        await intake.wait_and_publish(own, forged, {"CC": [target]})
        await settle(intake, "lottery", len(forged))

        assert await store.db["entries"].count_documents({}) == 0


async def test_a3_an_erasure_ordered_with_the_credentials_of_intake_wipes_nothing(installation: Installation) -> None:
    """Before: intake's user published `erasure.requested` by CC in mid-window; three services were wiped."""
    async with installation.lottery() as store, installation.attacker("intake") as intake:
        await genuine_entry(installation)
        await until(lambda: _has_entries(store, len(ENTRY.items)))
        forged = intake.forgeries(ERASE.name, ERASE.to_json(), "vault", "erasure.completed")
        await intake.publish("erasure.completed", forged, {"CC": [ERASE.name]})
        await settle(intake, "lottery", len(forged))

        assert await store.db["entries"].count_documents({}) == len(ENTRY.items)
        assert "erasure" not in (await store.db["draws"].find_one({"_id": CAMPAIGN}) or {})


async def test_a4_a_sealing_key_published_with_the_credentials_of_the_notifier_is_not_kept(
    installation: Installation,
) -> None:
    """Before: the notifier's user published an unsigned key by CC; no application could be opened any more."""
    async with installation.intake() as store, installation.attacker("notifier") as notifier:
        body = _key_document(SigningKey.generate()).to_json()
        forged = notifier.forgeries(SealingKeyPublished.name, body, "vault", "print.requested")
        await notifier.publish("print.requested", forged, {"CC": [SealingKeyPublished.name]})
        await settle(notifier, "intake", len(forged))

        assert await store.db["sealing_keys"].count_documents({}) == 0


async def test_a4_a_sealing_key_that_the_vaults_signing_key_did_not_sign_is_not_kept(
    installation: Installation,
) -> None:
    """Before: intake kept any document. The event key of the vault alone must not be enough."""
    async with installation.intake() as store, installation.attacker("vault") as vault:
        await _publish_key(vault, _key_document(SigningKey.generate()))
        await until(lambda: _is_parked(vault))
        assert await store.db["sealing_keys"].count_documents({}) == 0

        await _publish_key(vault, _key_document(installation.signing))
        await until(lambda: _has_key(store))


async def test_a_rotated_and_revoked_key_of_the_vault_forges_nothing(installation: Installation) -> None:
    """Before: no key existed. A stolen key is refused while the lottery runs, and the new one is accepted."""
    async with installation.lottery() as store, installation.attacker("vault") as vault:
        stolen = ServiceKey(installation.folders.folders["vault"], "vault")
        thief = Attacker("vault", vault.channel, stolen)
        forged = thief.forgeries(ENTRY.name, ENTRY.to_json(), "vault", ENTRY.name)[1:2]
        old_name = stolen.name
        installation.folders.rotate("vault")
        installation.folders.revoke(old_name)
        await thief.publish(ENTRY.name, forged, {})
        await settle(thief, "lottery", 1)
        assert await store.db["entries"].count_documents({}) == 0

        await genuine_entry(installation)
        await until(lambda: _has_entries(store, len(ENTRY.items)))


def _key_document(signing: SigningKey) -> SealingKeyPublished:
    document = {"v": 1, "campaign": CAMPAIGN, "key_id": "k1", "not_after": "2018-06-01T00:00:00+09:00"}
    signed = json.loads(json.dumps(signing.sign_document(document)))
    return SealingKeyPublished(campaign=CAMPAIGN, key_id=KeyId("k1"), document=signed)


async def _publish_key(vault: Attacker, event: SealingKeyPublished) -> None:
    (message,) = vault.forgeries(event.name, event.to_json(), "vault", event.name)[1:2]
    await vault.publish(event.name, [message], {})


async def _has_entries(store: Store, count: int) -> bool:
    return await store.db["entries"].count_documents({}) == count


async def _has_key(store: Store) -> bool:
    return await store.db["sealing_keys"].count_documents({}) == 1


async def _is_parked(attacker: Attacker) -> bool:
    queue = await attacker.channel.declare_queue(Names().parked("intake"), passive=True)
    return queue.declaration_result.message_count == 1
