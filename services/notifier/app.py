"""Wiring of the notifier: everything is made here, once, and handed to whoever needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.notifier import erasure as erasures
from services.notifier import handlers, ledger
from services.notifier.claims import Claims
from services.notifier.composing import Composing
from services.notifier.dispatch import Dispatch
from services.notifier.endpoints import staff_router
from services.notifier.erasure import Erasure
from services.notifier.printing import Printing
from services.notifier.rules.pacing import Pacing
from services.notifier.rules.texts import Texts
from services.notifier.sending import Relay, Sender
from services.notifier.settings import NotifierSettings
from shared.campaign import load_campaigns
from shared.clock import choose_clock
from shared.contracts import (
    ContactsRegistered,
    ErasureRequested,
    MailBounced,
    PlacesOffered,
    PrintCompleted,
    ResultsPublished,
)
from shared.messaging import Bus
from shared.periodic import Watch
from shared.settings import read_secret
from shared.storage import Store
from shared.web import health_router, install_problems, ops_only


def build(settings: NotifierSettings) -> FastAPI:
    """The app; its lifespan prepares the database, starts consumers, mail and print, and drains them at the end."""
    campaigns = load_campaigns(settings.campaigns_dir)
    clock = choose_clock(settings.clock_file, campaigns.values())
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database, timeout_s=settings.timeout_s)
    bus = Bus(settings, "notifier", store)
    composing = Composing(store, Texts(), campaigns, settings.relay_domain)
    erasure = Erasure(store, bus)
    relay = _relay(settings)
    claims = Claims(store, lease_s=settings.lease_s, gather_s=settings.gather_s)
    dispatch = Dispatch(
        claims,
        composing,
        lambda: Sender(relay, claims, settings.mail_waits_s),
        Pacing(settings.pace_per_s),
        campaigns,
        connections=settings.connections,
        poll_s=settings.poll_s,
    )
    printing = Printing(store, composing, gather_s=settings.gather_s)
    watch = Watch(campaigns.values(), (printing.order_what_is_due, erasure.carry_out), every_s=settings.poll_s)
    _connect(bus, printing, erasure)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await store.ensure([*ledger.collections(), *erasures.collections()])
        await ledger.ensure_meetings(store, campaigns)
        dispatch.start()
        async with bus, watch.running():
            yield
        await dispatch.stop(settings.shutdown_s / 2)
        await store.close()

    guard = ops_only(settings.ops_token_file)
    app = FastAPI(
        title="Kuji notifier", version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None
    )
    install_problems(app)
    app.include_router(staff_router(campaigns, store, clock, guard))
    app.include_router(bus.parking_router(guard))
    app.include_router(health_router({"broker": bus.ready, "store": store.ping}))
    return app


def _connect(bus: Bus, printing: Printing, erasure: Erasure) -> None:
    bus.consume(ContactsRegistered, handlers.on_contacts)
    bus.consume(ResultsPublished, handlers.on_results)
    bus.consume(PlacesOffered, handlers.on_places)
    bus.consume(MailBounced, handlers.on_bounced)
    bus.consume(PrintCompleted, printing.on_completed)
    bus.consume(ErasureRequested, erasure.on_requested)


def _relay(settings: NotifierSettings) -> Relay:
    return Relay(
        settings.relay_host,
        settings.relay_port,
        settings.relay_ca_file,
        settings.relay_domain,
        read_secret(settings.relay_password_file, "KUJI_RELAY_PASSWORD_FILE"),
        settings.smtp_timeout_s,
    )
