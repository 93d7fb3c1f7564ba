"""Build the vault's mail servers: the relay for outgoing notices, and the server for delivery reports."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from services.vault.identities.reveal import Identities
from services.vault.keys.keystore import Keystore
from services.vault.mail.bounces import BounceOptions, BounceServer
from services.vault.mail.relay import MailRelay, RelayOptions, tls_context
from services.vault.mail.relay.recipients import KnownRecipients
from services.vault.mail.relay.upstream import Mta
from services.vault.mail.rules.bounce_address import BounceAddresses
from services.vault.settings import VaultSettings
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId
from shared.settings import read_secret
from shared.storage import Store


@asynccontextmanager
async def open_servers(*listeners: MailRelay | BounceServer | None) -> AsyncIterator[None]:
    """Run the configured servers inside the context; on leaving, verdicts under way are still received."""
    async with AsyncExitStack() as stack:
        for listener in listeners:
            if listener is not None:
                await listener.start()
                stack.push_async_callback(listener.stop)
        yield


def relay(
    settings: VaultSettings,
    keystore: Keystore,
    identities: Identities,
    campaigns: Mapping[CampaignId, Campaign],
    clock: Clock,
) -> MailRelay | None:
    """Return the relay; None if no certificate is set: then no mail leaves through this vault."""
    if settings.relay_cert_file is None or settings.relay_key_file is None or settings.relay_password_file is None:
        return None
    options = RelayOptions(
        host=settings.relay_host,
        port=settings.relay_port,
        cert_file=settings.relay_cert_file,
        key_file=settings.relay_key_file,
        domain=settings.relay_domain,
        bounces=BounceAddresses(settings.bounce_domain, keystore.bounce_key),
        mta=Mta(settings.mta_host, settings.mta_port, settings.mta_security),
        accounts={"notifier": read_secret(settings.relay_password_file, "KUJI_RELAY_PASSWORD_FILE")},
    )
    return MailRelay(options, KnownRecipients(identities, campaigns), clock)


def bounce_server(
    settings: VaultSettings, keystore: Keystore, campaigns: Mapping[CampaignId, Campaign], store: Store
) -> BounceServer | None:
    """Return the server for delivery reports; None if no port is set: then people have to read the reports."""
    if settings.bounce_port is None:
        return None
    cert, key = settings.relay_cert_file, settings.relay_key_file
    tls = None if cert is None or key is None else tls_context(cert, key)
    addresses = BounceAddresses(settings.bounce_domain, keystore.bounce_key)
    options = BounceOptions(settings.bounce_host, settings.bounce_port, addresses, settings.bounce_clients, tls)

    def list_open() -> list[CampaignId]:
        return [campaign for campaign in campaigns if keystore.fingerprint_of_destroyed(campaign) is None]

    return BounceServer(options, list_open, store)
