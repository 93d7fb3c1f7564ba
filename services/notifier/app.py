"""Wiring of the notifier: every part is built here, once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.notifier import handlers
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS
from services.notifier.endpoints import staff_router
from services.notifier.erasure import NotifierStores
from services.notifier.mail.claims import Claims
from services.notifier.mail.compose import MailComposer
from services.notifier.mail.dispatch import MailDispatcher
from services.notifier.mail.sender import MailSender, RelayAccount
from services.notifier.overview import Overview
from services.notifier.post.compose import CardComposer
from services.notifier.post.endpoints import cards_router
from services.notifier.post.print_queue import PrintQueue
from services.notifier.repository import NoticeRepository
from services.notifier.rules.pacing import Pacing
from services.notifier.rules.texts import Texts
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
from shared.erasure import ErasureParticipant, refuse_erased_ids
from shared.erasure import collections as erasure_collections
from shared.messaging import Bus
from shared.periodic import PeriodicTasks
from shared.service_keys import ServiceKey
from shared.settings import read_secret
from shared.storage import Store
from shared.web import RequestLimits, admit_staff, health_router, install_problems, require_staff_token


def build(settings: NotifierSettings) -> FastAPI:
    """Return the app. Its lifespan prepares the database, starts consumers, mail and print, and stops them in order."""
    campaigns = load_campaigns(settings.campaigns_dir)
    clock = choose_clock(settings.clock_file, campaigns.values())
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database, timeout_s=settings.timeout_s)
    bus = Bus(settings, "notifier", store)
    applicants, texts = ApplicantRepository(store.db), Texts()
    service_key = ServiceKey(settings.service_keys_dir, "notifier")
    erasure = ErasureParticipant("notifier", store, NotifierStores(store), bus, service_key)
    mail_composer = MailComposer(applicants, texts, campaigns, settings.relay_domain, clock)
    dispatcher = _build_dispatcher(settings, store, mail_composer)
    print_queue = PrintQueue(store, CardComposer(applicants, texts, campaigns, clock), gather_s=settings.gather_s)
    watch = PeriodicTasks(
        campaigns.values(), (print_queue.order_due_batches, erasure.carry_out), every_s=settings.poll_s
    )
    _connect(bus, print_queue, erasure)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            await store.ensure([*COLLECTIONS, *erasure_collections()])
            await refuse_erased_ids(store, campaigns.values())
            await applicants.ensure_locks(campaigns)
            async with dispatcher.running(settings.shutdown_s / 2), bus, watch.running():
                yield

    guard = require_staff_token(settings.ops_token_file)
    app = FastAPI(
        title="Kuji notifier", version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None
    )
    install_problems(app)
    app.add_middleware(RequestLimits, staff=admit_staff(guard))
    overview = Overview(store.db, clock)
    app.include_router(staff_router(campaigns, store.db, overview, guard))
    app.include_router(cards_router(campaigns, store, clock, guard))
    app.include_router(bus.parking_router(guard))
    app.include_router(health_router({"broker": bus.ready, "store": store.ping}, bus.alarms))
    return app


def _connect(bus: Bus, print_queue: PrintQueue, erasure: ErasureParticipant) -> None:
    bus.consume(ContactsRegistered, handlers.on_contacts)
    bus.consume(ResultsPublished, handlers.on_results)
    bus.consume(PlacesOffered, handlers.on_places)
    bus.consume(MailBounced, handlers.on_bounced)
    bus.consume(PrintCompleted, print_queue.on_completed)
    bus.consume(ErasureRequested, erasure.on_requested)


def _build_dispatcher(settings: NotifierSettings, store: Store, composer: MailComposer) -> MailDispatcher:
    relay = RelayAccount(
        settings.relay_host,
        settings.relay_port,
        settings.relay_ca_file,
        settings.relay_domain,
        read_secret(settings.relay_password_file, "KUJI_RELAY_PASSWORD_FILE"),
        settings.smtp_timeout_s,
    )
    claims = Claims(store, lease_s=settings.lease_s)
    return MailDispatcher(
        claims,
        composer,
        lambda: MailSender(relay, claims, NoticeRepository(store.db), settings.mail_waits_s),
        Pacing(settings.pace_per_s),
        connections=settings.connections,
        poll_s=settings.poll_s,
    )
