"""Wiring of the notifier: every part is built here, once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from services.notifier import handlers
from services.notifier.announcements.announce import AnnouncementService
from services.notifier.announcements.endpoints import announcements_router
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS
from services.notifier.counts_repository import NoticeCountsRepository
from services.notifier.endpoints import staff_router
from services.notifier.erasure import NotifierStores
from services.notifier.leadership import Leadership
from services.notifier.mail.answers import MailAnswers
from services.notifier.mail.dispatch import MailDispatcher
from services.notifier.overview import Overview
from services.notifier.post.endpoints import cards_router
from services.notifier.post.print_queue import PrintQueue
from services.notifier.publish_counts import CountsPublisher
from services.notifier.rules.answers import Waits
from services.notifier.rules.pacing import Pacing
from services.notifier.rules.states import NoticeState
from services.notifier.settings import NotifierSettings
from shared.campaign import load_campaigns
from shared.clock import choose_clock
from shared.contracts import (
    ContactsRegistered,
    ErasureRequested,
    MailBounced,
    MailCompleted,
    PlacesOffered,
    PrintCompleted,
    ResultsPublished,
)
from shared.erasure import ErasureParticipant, refuse_erased_ids
from shared.erasure import collections as erasure_collections
from shared.messaging import Bus
from shared.periodic import PeriodicTasks
from shared.service_keys import ServiceKey
from shared.storage import Store
from shared.web import RequestLimits, admit_staff, health_router, install_problems, require_staff_token
from shared.web.health import Count


def build(settings: NotifierSettings) -> FastAPI:
    """Return the app. Its lifespan prepares the database, and starts and stops consumers and periodic tasks."""
    campaigns = load_campaigns(settings.campaigns_dir)
    clock = choose_clock(settings.clock_file, campaigns.values())
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database, timeout_s=settings.timeout_s)
    bus = Bus(settings, "notifier", store)
    applicants, counts = ApplicantRepository(store.db), NoticeCountsRepository(store.db)
    service_key = ServiceKey(settings.service_keys_dir, "notifier")
    erasure = ErasureParticipant("notifier", store, NotifierStores(store), bus, service_key)
    overview = Overview(store.db, clock)
    leadership = Leadership(store.db, settings.lease_s)
    mail = MailDispatcher(store, Pacing(settings.pace_per_s), settings.single_classes, silence_s=settings.silence_s)
    cards = PrintQueue(store, gather_s=settings.gather_s, release_wait_s=settings.release_wait_s)
    announcements = AnnouncementService(store)
    led = [
        leadership.only(task)
        for task in (
            mail.give_up_waiting,
            announcements.create_notices,
            cards.order_due_batches,
            CountsPublisher(store, overview).publish_changes,
        )
    ]
    watch = PeriodicTasks(campaigns.values(), [*led, erasure.carry_out], every_s=settings.poll_s)
    mailing = PeriodicTasks(campaigns.values(), [leadership.only(mail.order_due_mails)], every_s=settings.poll_s)
    _connect(bus, MailAnswers(Waits(settings.mail_waits_s, settings.release_wait_s)), cards, erasure)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await store.ensure([*COLLECTIONS, *erasure_collections()])
        await refuse_erased_ids(store, campaigns.values())
        await applicants.ensure_locks(campaigns)
        async with bus, watch.running(), mailing.running():
            yield
        await leadership.give_up()
        await store.close()

    guard = require_staff_token(settings.ops_token_file)
    app = FastAPI(
        title="Kuji notifier", version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None
    )
    install_problems(app)
    app.add_middleware(RequestLimits, staff=admit_staff(guard))
    app.include_router(staff_router(campaigns, store.db, overview, guard))
    app.include_router(announcements_router(campaigns, store, announcements, guard))
    app.include_router(cards_router(campaigns, store, clock, guard))
    app.include_router(bus.parking_router(guard))
    alarms: dict[str, Count] = {**bus.alarms, "invalid_notices": partial(counts.count_state, NoticeState.INVALID)}
    app.include_router(health_router({"broker": bus.ready, "store": store.ping}, alarms))
    return app


def _connect(bus: Bus, answers: MailAnswers, cards: PrintQueue, erasure: ErasureParticipant) -> None:
    bus.consume(ContactsRegistered, handlers.on_contacts)
    bus.consume(ResultsPublished, handlers.on_results)
    bus.consume(PlacesOffered, handlers.on_places)
    bus.consume(MailCompleted, answers.on_completed)
    bus.consume(MailBounced, answers.on_bounced)
    bus.consume(PrintCompleted, cards.on_completed)
    bus.consume(ErasureRequested, erasure.on_requested)
