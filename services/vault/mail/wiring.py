"""The vault's doors for mail: the relay for notices going out, and the one at which delivery reports come in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from services.vault.identities.reveal import Identities
from services.vault.mail.bounces import BounceOptions, BounceServer
from services.vault.mail.relay import MailRelay, RelayOptions, tls_context
from services.vault.mail.relay.recipients import KnownRecipients
from services.vault.mail.relay.upstream import Mta
from services.vault.settings import VaultSettings
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId
from shared.settings import read_secret
from shared.storage import Store


@asynccontextmanager
async def open_servers(*doors: MailRelay | BounceServer | None) -> AsyncIterator[None]:
    """Open while inside, those that there are; leaving lets verdicts under way come in."""
    async with AsyncExitStack() as stack:
        for door in doors:
            if door is not None:
                await door.start()
                stack.push_async_callback(door.stop)
        yield


def relay(
    settings: VaultSettings, identities: Identities, campaigns: Mapping[CampaignId, Campaign], clock: Clock
) -> MailRelay | None:
    """None where no certificate is set: then nobody can send mail through this vault."""
    if settings.relay_cert_file is None or settings.relay_key_file is None or settings.relay_password_file is None:
        return None
    options = RelayOptions(
        host=settings.relay_host,
        port=settings.relay_port,
        cert_file=settings.relay_cert_file,
        key_file=settings.relay_key_file,
        domain=settings.relay_domain,
        bounce_domain=settings.bounce_domain,
        mta=Mta(settings.mta_host, settings.mta_port, settings.mta_security),
        accounts={"notifier": read_secret(settings.relay_password_file, "KUJI_RELAY_PASSWORD_FILE")},
    )
    return MailRelay(options, KnownRecipients(identities, campaigns), clock)


def bounce_server(settings: VaultSettings, identities: Identities, store: Store) -> BounceServer | None:
    """None where no port is set: then delivery reports must be read by people."""
    if settings.bounce_port is None:
        return None
    cert, key = settings.relay_cert_file, settings.relay_key_file
    tls = None if cert is None or key is None else tls_context(cert, key)
    options = BounceOptions(settings.bounce_host, settings.bounce_port, settings.bounce_domain, tls)
    return BounceServer(options, identities, store)
