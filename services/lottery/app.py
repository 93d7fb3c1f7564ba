"""Wire the lottery: make each part once and pass it to the parts that need it."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from services.lottery.draw import collections as draws
from services.lottery.draw import handlers
from services.lottery.draw.dice_taking import DiceTaking
from services.lottery.draw.endpoints import DrawServices, staff_router
from services.lottery.draw.freeze import FreezeService
from services.lottery.draw.later_round import LaterRoundService
from services.lottery.draw.notice_progress import on_notices_counted
from services.lottery.draw.public_endpoints import PublicDraws, public_router
from services.lottery.draw.randomness_entry import RandomnessService
from services.lottery.draw.redraw import RedrawService
from services.lottery.draw.relays import RelayClient
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.run import DrawRunner
from services.lottery.erasure import LotteryStores
from services.lottery.further.endpoints import FurtherRoundDesk, further_router
from services.lottery.further.freeze_round import FurtherFreeze
from services.lottery.further.open_round import FurtherRounds
from services.lottery.further.publish_round import FurtherPublisher
from services.lottery.keys import LotteryKeys
from services.lottery.pages.draws import DrawPages, draws_router
from services.lottery.pages.reception import ReceptionPages, reception_pages_router
from services.lottery.pages.site import lottery_renderer, site_router
from services.lottery.pages.verify import VerifyPages, verify_pages_router
from services.lottery.pages.withdraw import WithdrawPages, withdraw_router
from services.lottery.person_erasure import LotteryPeople
from services.lottery.places import moves
from services.lottery.places import repository as places
from services.lottery.places.corrections import Corrections
from services.lottery.places.endpoints import PlaceServices, own_router, places_router
from services.lottery.places.moves import PlaceMoves
from services.lottery.places.ownership import Ownership
from services.lottery.places.promote import Promotions
from services.lottery.places.resign_transcript import TranscriptSigner
from services.lottery.reception import repository as reception
from services.lottery.reception.endpoints import reception_router
from services.lottery.reception.noshows import NoShows
from services.lottery.reception.overview import Overview
from services.lottery.reception.service import ReceptionService
from services.lottery.results.publish import ResultPublisher
from services.lottery.scheduler import DrawScheduler
from services.lottery.settings import LotterySettings
from services.lottery.slips import SlipSigner
from services.lottery.statistics.counts import DrawCounts
from services.lottery.statistics.overview import DrawOverview
from shared.approvals import used
from shared.approvals.reader import ApprovalReader
from shared.campaign import Campaign, load_campaigns
from shared.clock import Clock, choose_clock
from shared.contracts import (
    ApplicationsAccepted,
    ApplicationsHeld,
    ApplicationsRejected,
    DiceEntered,
    DuplicatesSearched,
    ErasureRequested,
    NoticesCounted,
    PersonErasureRequested,
    ReceiptsClosed,
    StaffChanged,
)
from shared.erasure import ErasureParticipant, PersonErasures, person_collections, refuse_erased_ids
from shared.erasure import collections as erasure_collections
from shared.ids import CampaignId
from shared.messaging import Bus
from shared.periodic import PeriodicTask, PeriodicTasks
from shared.pinned_keys import PinnedKeys
from shared.service_keys import PublicKeys, ServiceKey
from shared.staff_acts import make_recorder
from shared.staff_roles import Right
from shared.storage import Store
from shared.web import BodyLimit, RequestLimits, health_router, install_problems
from shared.web.sign_in import session_repository as sign_in
from shared.web.sign_in.access import StaffAccess
from shared.web.wrong_proofs import WrongProofs


def build(settings: LotterySettings) -> FastAPI:
    """Return the app. Its lifespan prepares the database, starts consumers and scheduler, and drains them at last."""
    campaigns = load_campaigns(settings.campaigns_dir)
    clock = choose_clock(settings.clock_file, campaigns.values())
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database, timeout_s=settings.timeout_s)
    bus = Bus(settings, "lottery", store)
    keys = LotteryKeys(settings.service_keys_dir)
    approvals, vault_key = ApprovalReader(settings.vault_key_file), PinnedKeys(settings.vault_key_file)
    scheduler, draw_services = _draws(store, clock, keys, campaigns, settings, approvals, vault_key)
    no_shows = NoShows(store, clock, moves.release)
    wrong_proofs = WrongProofs()
    places_desk, after_the_draw = _places(store, clock, keys, campaigns, wrong_proofs, approvals)
    service_key = ServiceKey(settings.service_keys_dir, "lottery")
    erasure = ErasureParticipant("lottery", store, LotteryStores(store, wrong_proofs), bus, service_key)
    stores = LotteryPeople(store, clock, SlipSigner(keys, campaigns))
    people = PersonErasures("lottery", store, stores, bus.parking, service_key)
    tasks = (scheduler.advance, no_shows.count_what_is_due, *after_the_draw, erasure.carry_out, people.carry_out)
    periodic = PeriodicTasks(campaigns.values(), tasks, every_s=settings.tick_s)
    access = StaffAccess.make(
        "lottery",
        store,
        settings.origins,
        vault_key_file=settings.vault_key_file,
        state_dir=settings.state_dir,
    )
    _connect(bus, erasure, access, DiceTaking(store, clock))
    bus.consume(PersonErasureRequested, people.on_requested)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            await store.ensure([*draws.collections(), *places.collections(), *reception.collections()])
            await store.ensure(
                [*erasure_collections(), *person_collections(), *sign_in.collections(), *used.collections()]
            )
            await refuse_erased_ids(store, campaigns.values())
            await DrawRepository(store).ensure(campaigns)
            await reception.ReceptionRepository(store).ensure_counters(campaigns)
            async with bus, periodic.running():
                yield

    app = FastAPI(title="Kuji lottery", version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    install_problems(app)
    app.add_middleware(RequestLimits, staff=access.admit, routes=_body_limits(access))
    app.include_router(staff_router(draw_services, access.guard(Right.READ_DRAWS, Right.RUN_DRAWS)))
    rounds = FurtherRoundDesk(FurtherRounds(store, clock, campaigns, vault_key), approvals)
    app.include_router(further_router(rounds, access.guard(Right.READ_DRAWS, Right.RUN_DRAWS)))
    app.include_router(places_router(places_desk, access.guard(Right.READ_DRAWS, Right.CORRECT_PLACES)))
    app.include_router(own_router(places_desk))
    app.include_router(public_router(PublicDraws(store, keys, campaigns)))
    desk = ReceptionService(store, keys, clock, campaigns)
    app.include_router(reception_router(campaigns, desk, Overview(store), clock, keys.believed, access))
    public_keys = PublicKeys(settings.service_keys_dir)
    for pages in _pages(
        store, clock, keys, places_desk, access, settings.origins.get("intake", ""), public_keys, vault_key
    ):
        app.include_router(pages)
    app.include_router(bus.parking_router(access, make_recorder(store, "lottery")))
    app.include_router(health_router({"broker": bus.ready, "store": store.ping}, bus.alarms))
    return app


def _body_limits(access: StaffAccess) -> tuple[BodyLimit, ...]:
    """Return the routes that are open to all, and the two whose bodies may be larger than 64 KiB."""
    campaign = "/v1/campaigns/[^/]+"
    open_to_all = f"{campaign}/places/own(/answer)?|/sign-out"
    return (
        BodyLimit(re.compile(open_to_all)),
        BodyLimit(re.compile(f"{campaign}/reception/scans"), most_bytes=512 * 1024, admit=access.admit),
        BodyLimit(re.compile(f"{campaign}/stamps"), most_bytes=256 * 1024, admit=access.admit),
    )


def _draws(
    store: Store,
    clock: Clock,
    keys: LotteryKeys,
    campaigns: Mapping[CampaignId, Campaign],
    settings: LotterySettings,
    approvals: ApprovalReader,
    vault_key: PinnedKeys,
) -> tuple[DrawScheduler, DrawServices]:
    """Return the scheduler of draws, and the services behind the staff endpoints."""
    freezing = FreezeService(store, keys, clock, campaigns, vault_key)
    randomness = RandomnessService(store, clock)
    scheduler = DrawScheduler(
        store,
        clock,
        freezing=freezing,
        randomness=randomness,
        relays=RelayClient(timeout_s=settings.timeout_s),
        runner=DrawRunner(store, keys, clock),
        publisher=ResultPublisher(store, SlipSigner(keys, campaigns)),
        further_freezing=FurtherFreeze(store, freezing, campaigns),
        further_publisher=FurtherPublisher(store, SlipSigner(keys, campaigns)),
    )
    redrawing = RedrawService(store, clock, campaigns, vault_key)
    later = LaterRoundService(store, clock, campaigns, vault_key)
    return scheduler, DrawServices(store, clock, keys, campaigns, freezing, randomness, redrawing, later, approvals)


def _places(
    store: Store,
    clock: Clock,
    keys: LotteryKeys,
    campaigns: Mapping[CampaignId, Campaign],
    wrong_proofs: WrongProofs,
    approvals: ApprovalReader,
) -> tuple[PlaceServices, tuple[PeriodicTask, ...]]:
    """Return the services of places for applicants and staff, and the periodic tasks."""
    signer = SlipSigner(keys, campaigns)
    moved, corrected = PlaceMoves(store, clock, signer), Corrections(store, clock, signer)
    desk = PlaceServices(store, campaigns, moved, Ownership(store), corrected, wrong_proofs, approvals)
    return desk, (Promotions(store, clock, signer).advance, TranscriptSigner(store, keys).renew)


def _pages(
    store: Store,
    clock: Clock,
    keys: LotteryKeys,
    places_desk: PlaceServices,
    access: StaffAccess,
    intake: str,
    public_keys: PublicKeys,
    vault_key: PinnedKeys,
) -> Iterator[APIRouter]:
    """Yield the routers of the web pages. `intake`: origin of intake, which public pages ask for application ids."""
    renderer, campaigns = lottery_renderer(), places_desk.campaigns
    yield site_router(renderer, access)
    yield draws_router(
        DrawPages(campaigns, DrawOverview(store, clock, keys), DrawCounts(store), clock, renderer, access, store)
    )
    yield reception_pages_router(ReceptionPages(campaigns, Overview(store), clock, renderer, access))
    yield verify_pages_router(VerifyPages(campaigns, clock, renderer, keys.believed, vault_key, intake, public_keys))
    yield withdraw_router(WithdrawPages(campaigns, clock, renderer, intake))


def _connect(bus: Bus, erasure: ErasureParticipant, access: StaffAccess, dice: DiceTaking) -> None:
    bus.consume(DiceEntered, dice.on_entered)
    bus.consume(StaffChanged, access.sessions.on_changed)
    bus.consume(ApplicationsAccepted, handlers.on_accepted)
    bus.consume(ApplicationsRejected, handlers.on_rejected)
    bus.consume(ApplicationsHeld, handlers.on_held)
    bus.consume(ReceiptsClosed, handlers.on_receipts_closed)
    bus.consume(DuplicatesSearched, handlers.on_duplicates_searched)
    bus.consume(NoticesCounted, on_notices_counted)
    bus.consume(ErasureRequested, erasure.on_requested)
