"""Wiring of the notifier: every part is built here, once."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from fastapi import APIRouter, FastAPI

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
from services.notifier.pages.notices import NoticePages, notices_router, notifier_renderer
from services.notifier.pages.telephone import telephone_router
from services.notifier.person_erasure import NotifierPeople
from services.notifier.post.endpoints import cards_router
from services.notifier.post.print_queue import PrintQueue
from services.notifier.publish_counts import CountsPublisher
from services.notifier.rules.answers import Waits
from services.notifier.rules.pacing import Pacing
from services.notifier.rules.states import NoticeState
from services.notifier.settings import NotifierSettings
from shared.approvals import used
from shared.approvals.reader import ApprovalReader
from shared.campaign import Campaign, load_campaigns
from shared.clock import Clock, choose_clock
from shared.contracts import (
    ContactsRegistered,
    ErasureRequested,
    MailBounced,
    MailCompleted,
    NoticesAsked,
    PersonErasureRequested,
    PlacesOffered,
    PrintCompleted,
    ResultsPublished,
    StaffChanged,
)
from shared.erasure import ErasureParticipant, PersonErasures, person_collections, refuse_erased_ids
from shared.erasure import collections as erasure_collections
from shared.ids import CampaignId
from shared.messaging import Batch, Bus
from shared.periodic import PeriodicTasks
from shared.service_keys import ServiceKey
from shared.staff_acts import make_recorder
from shared.storage import Store
from shared.web import BodyLimit, RequestLimits, health_router, install_problems
from shared.web.health import Count
from shared.web.sign_in import session_repository as sign_in
from shared.web.sign_in.access import StaffAccess

_SIGN_OUT: Final = BodyLimit(re.compile("/sign-out"))
"""Route that checks by itself who sends its form."""

_BATCH: Final = Batch(size=20)
"""Events of up to 100 items each; one transaction must not last long."""


def build(settings: NotifierSettings) -> FastAPI:
    """Return the app. Its lifespan prepares the database, and starts and stops consumers and periodic tasks."""
    campaigns = load_campaigns(settings.campaigns_dir)
    clock = choose_clock(settings.clock_file, campaigns.values())
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database, timeout_s=settings.timeout_s)
    bus = Bus(settings, "notifier", store)
    service_key = ServiceKey(settings.service_keys_dir, "notifier")
    erasure = ErasureParticipant("notifier", store, NotifierStores(store), bus, service_key)
    people = PersonErasures("notifier", store, NotifierPeople(store), bus.parking, service_key)
    access = StaffAccess.make(
        "notifier",
        store,
        settings.origins,
        vault_key_file=settings.vault_key_file,
        state_dir=settings.state_dir,
    )
    approvals = ApprovalReader(settings.vault_key_file)
    cards = PrintQueue(store, gather_s=settings.gather_s, release_wait_s=settings.release_wait_s)
    desk = _Desk(campaigns, store, clock, Overview(store.db, clock), AnnouncementService(store), access, approvals)
    leadership = Leadership(store.db, settings.lease_s)
    periodic = _periodic_tasks(settings, desk, cards, leadership, erasure, people)
    _connect(bus, MailAnswers(Waits(settings.mail_waits_s, settings.release_wait_s)), cards, erasure, access)
    bus.consume(PersonErasureRequested, people.on_requested)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            await store.ensure(
                [
                    *COLLECTIONS,
                    *erasure_collections(),
                    *person_collections(),
                    *sign_in.collections(),
                    *used.collections(),
                ]
            )
            await refuse_erased_ids(store, campaigns.values())
            await ApplicantRepository(store.db).ensure_locks(campaigns)
            async with AsyncExitStack() as running:
                await running.enter_async_context(bus)
                for tasks in periodic:
                    await running.enter_async_context(tasks.running())
                yield
            await leadership.give_up()

    app = FastAPI(
        title="Kuji notifier", version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None
    )
    install_problems(app)
    app.add_middleware(RequestLimits, staff=access.admit, routes=(_SIGN_OUT,))
    for router in _routers(desk):
        app.include_router(router)
    app.include_router(bus.parking_router(access, make_recorder(store, "notifier")))
    invalid = partial(NoticeCountsRepository(store.db).count_state, NoticeState.INVALID)
    alarms: dict[str, Count] = {**bus.alarms, "invalid_notices": invalid}
    app.include_router(health_router({"broker": bus.ready, "store": store.ping}, alarms))
    return app


@dataclass(frozen=True)
class _Desk:
    """Parts behind the staff's endpoints and pages."""

    campaigns: Mapping[CampaignId, Campaign]
    store: Store
    clock: Clock
    overview: Overview
    announcements: AnnouncementService
    access: StaffAccess
    approvals: ApprovalReader


def _routers(desk: _Desk) -> Iterator[APIRouter]:
    """Yield the routers of endpoints and pages."""
    campaigns, store, access = desk.campaigns, desk.store, desk.access
    yield staff_router(campaigns, store, desk.overview, access)
    yield announcements_router(campaigns, store, desk.announcements, access, desk.approvals)
    yield cards_router(campaigns, store, desk.clock, access)
    pages = NoticePages(campaigns, store, desk.overview, desk.clock, notifier_renderer(), access)
    yield notices_router(pages)
    yield telephone_router(pages)


def _periodic_tasks(
    settings: NotifierSettings,
    desk: _Desk,
    cards: PrintQueue,
    leadership: Leadership,
    erasure: ErasureParticipant,
    people: PersonErasures,
) -> tuple[PeriodicTasks, PeriodicTasks]:
    """Return the mail orders, which must not wait for the rest, and the rest."""
    mail = MailDispatcher(
        desk.store, Pacing(settings.pace_per_s), settings.single_classes, silence_s=settings.silence_s
    )
    counts = CountsPublisher(desk.store, desk.overview)
    rest = (
        mail.give_up_waiting,
        desk.announcements.create_notices,
        cards.order_due_batches,
        counts.publish_changes,
    )
    led = [leadership.only(task) for task in rest]
    events, every_s = desk.campaigns.values(), settings.poll_s
    return (
        PeriodicTasks(events, [leadership.only(mail.order_due_mails)], every_s=every_s),
        PeriodicTasks(events, [*led, erasure.carry_out, people.carry_out], every_s=every_s),
    )


def _connect(
    bus: Bus, answers: MailAnswers, cards: PrintQueue, erasure: ErasureParticipant, access: StaffAccess
) -> None:
    bus.consume(StaffChanged, access.sessions.on_changed)
    bus.consume(ContactsRegistered, handlers.on_contacts, _BATCH)
    bus.consume(ResultsPublished, handlers.on_results, _BATCH)
    bus.consume(PlacesOffered, handlers.on_places, _BATCH)
    bus.consume(NoticesAsked, handlers.on_asked)
    bus.consume(MailCompleted, answers.on_completed, _BATCH)
    bus.consume(MailBounced, answers.on_bounced)
    bus.consume(PrintCompleted, cards.on_completed)
    bus.consume(ErasureRequested, erasure.on_requested)
