"""Build the vault's mail room and the server for delivery reports."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from services.vault.deliveries.accept import DocumentAcceptance
from services.vault.deliveries.left_out import LeftOutNotices
from services.vault.deliveries.repository import DeliveryRepository
from services.vault.deliveries.rules.states import DeliveryState
from services.vault.identities.reveal import Identities
from services.vault.keys.keystore import Keystore
from services.vault.mail.batches import SentBatches
from services.vault.mail.bounces import BounceOptions, BounceServer
from services.vault.mail.composer import MailComposer
from services.vault.mail.handlers import MailHandlers
from services.vault.mail.room import MailRoom, Pace
from services.vault.mail.rules.bounce_address import BounceAddresses
from services.vault.mail.sessions import SessionPool
from services.vault.mail.transport import check_reports, mail_server
from services.vault.notices.released import ReleasedTemplates
from services.vault.settings import VaultSettings
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import DrawPublished, MailRequested, NoticesCounted, SlipsIssued
from shared.errors import ConfigurationError
from shared.hosts import is_this_machine
from shared.ids import CampaignId
from shared.messaging import Batch, Bus
from shared.storage import Store

_ORDERS = Batch(size=2, wait_s=0.05)
"""Messages in one transaction: two hundred documents at most."""


def mail_room(
    settings: VaultSettings,
    store: Store,
    keystore: Keystore,
    identities: Identities,
    templates: ReleasedTemplates,
    campaigns: Mapping[CampaignId, Campaign],
    clock: Clock,
) -> MailRoom:
    """Return the mail room; mail leaves through it only."""
    bounces = BounceAddresses(settings.bounce_domain, keystore.bounce_key)
    composer = MailComposer(store, identities, templates, campaigns, bounces, clock)
    server = mail_server(settings)
    pace = Pace(lease_s=settings.mta_lease_s)
    return MailRoom(store, composer, SessionPool(server, settings.mta_sessions), pace)


def consume_orders(bus: Bus, store: Store, acceptance: DocumentAcceptance) -> None:
    """Connect the mail room's handlers."""
    handlers = MailHandlers(store, acceptance)
    bus.consume(MailRequested, handlers.on_requested, _ORDERS)
    bus.consume(SlipsIssued, handlers.on_slips_issued)
    bus.consume(NoticesCounted, handlers.on_counted)
    bus.consume(DrawPublished, LeftOutNotices(store).on_published)


def alarms(room: MailRoom, store: Store) -> dict[str, Callable[[], Awaitable[int]]]:
    """Return counts that should be zero: invalid documents, and mails that wait because the mail server is away."""

    async def count_invalid() -> int:
        return await DeliveryRepository(store).count(DeliveryState.INVALID)

    return {"invalid_notice_documents": count_invalid, "mails_without_mail_server": room.waiting_for_server}


@asynccontextmanager
async def running(room: MailRoom, bounces: BounceServer | None, shutdown_s: float) -> AsyncIterator[None]:
    """Run mail room and bounce server inside the context; on leaving, outcomes of mails under way are still written."""
    if bounces is not None:
        await bounces.start()
    room.start()
    try:
        yield
    finally:
        await room.stop(shutdown_s)
        if bounces is not None:
            await bounces.stop()


def bounce_server(
    settings: VaultSettings,
    keystore: Keystore,
    identities: Identities,
    campaigns: Mapping[CampaignId, Campaign],
    store: Store,
) -> BounceServer | None:
    """Return the server for delivery reports; None if no port is set: then people have to read the reports."""
    if settings.bounce_port is None:
        return None
    check_reports(settings)
    cert, key = settings.bounce_cert_file, settings.bounce_key_file
    tls = None if cert is None or key is None else _tls_context(cert, key)
    addresses = BounceAddresses(settings.bounce_domain, keystore.bounce_key)
    options = BounceOptions(
        settings.bounce_host,
        settings.bounce_port,
        addresses,
        settings.bounce_clients,
        tls,
        needs_tls=not is_this_machine(settings.bounce_host),
    )

    def list_open() -> list[CampaignId]:
        return [campaign for campaign in campaigns if keystore.fingerprint_of_destroyed(campaign) is None]

    return BounceServer(options, list_open, store, SentBatches(store, identities).recipients)


def _tls_context(cert_file: Path, key_file: Path) -> ssl.SSLContext:
    """Return the TLS context of the bounce server. Raises ConfigurationError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"the certificate of the server for delivery reports cannot be used ({type(error).__name__}); "
            "see KUJI_BOUNCE_CERT_FILE and KUJI_BOUNCE_KEY_FILE"
        ) from None
    return context
