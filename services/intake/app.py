"""Wire intake: each object is made here, once."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from starlette.types import Lifespan

from services.intake.applications.accept import Acceptance
from services.intake.applications.admission_check import AdmissionCheck
from services.intake.applications.fast_path import FastPath
from services.intake.applications.publish import ApplicationPublisher
from services.intake.applications.rate_limits import RateLimits
from services.intake.applications.repository import SubmissionRepository
from services.intake.applications.status import StatusReader
from services.intake.applications.submit import SubmissionService, VersionService
from services.intake.applications.version_repository import VersionRepository
from services.intake.applications.versions import VersionAcceptance
from services.intake.campaigns.sealing_key_repository import SealingKeyRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.closing import CampaignClosing
from services.intake.collections import COLLECTIONS
from services.intake.cross_origin import CrossOriginCalls
from services.intake.endpoints import (
    applications_router,
    campaigns_router,
    postal_router,
    receipt_keys_router,
    status_router,
)
from services.intake.erasure import IntakeStores
from services.intake.handlers import MessageHandlers
from services.intake.pages import DIST, TEMPLATES, TEXTS
from services.intake.pages.sheet import Sheets
from services.intake.pages.site import Site, site_router
from services.intake.papers.accept import PaperAcceptance
from services.intake.papers.endpoints import papers_router
from services.intake.papers.repository import PaperRepository
from services.intake.papers.settle import PaperSettlement
from services.intake.person_erasure import IntakePeople
from services.intake.receipts.key_repository import ReceiptKeyRepository
from services.intake.receipts.sign import ReceiptSigner
from services.intake.settings import IntakeSettings
from services.intake.staff_endpoints import operations_router
from shared.campaign import Campaign, load_campaigns
from shared.clock import Clock, choose_clock
from shared.contracts import (
    ApplicationsDecided,
    DrawPublished,
    ErasureRequested,
    PaperSettled,
    PersonErasureRequested,
    SealingKeyPublished,
    StaffChanged,
)
from shared.erasure import ErasureParticipant, PersonErasures, person_collections, refuse_erased_ids
from shared.erasure import collections as erasure_collections
from shared.ids import CampaignId
from shared.messaging import Bus
from shared.periodic import PeriodicTasks
from shared.pinned_keys import PinnedKeys
from shared.postal_codes import PostalCodes
from shared.service_keys import PublicKeys, ServiceKey
from shared.staff_acts import make_recorder
from shared.staff_roles import Right
from shared.storage import Store
from shared.typesetting import Typesetter
from shared.web import BodyLimit, RequestLimits, health_router, install_problems
from shared.web.pages import Assets, Renderer, catalogues_with
from shared.web.sign_in import session_repository as sign_in
from shared.web.sign_in.access import StaffAccess
from shared.web.wrong_proofs import WrongProofs

_BODY_LIMITS: Final = (  # see request_body.py
    BodyLimit(re.compile("/v1/campaigns/[^/]+/(applications|papers)"), streamed=True),
    BodyLimit(re.compile("/v1/applications/[^/]+/versions"), streamed=True),
    BodyLimit(re.compile("/sign-out")),  # checks by itself who sends its form
)

_DESCRIPTION = "Accepts sealed applications and gives receipts. It cannot read what it publishes."


def build(settings: IntakeSettings) -> FastAPI:
    """Return the app. Its lifespan prepares the database, and starts and stops consumers and periodic tasks."""
    campaigns = load_campaigns(settings.campaigns_dir)
    clock = choose_clock(settings.clock_file, campaigns.values())
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database, timeout_s=settings.timeout_s)
    bus = Bus(settings, "intake", store)
    service_key = ServiceKey(settings.service_keys_dir, "intake")
    signer = ReceiptSigner(service_key)
    submissions, versions = SubmissionRepository(store, signer), VersionRepository(store)
    papers = PaperRepository(store, submissions, signer)
    keys, stages = SealingKeyRepository(store), CampaignStageRepository(store)
    receipt_keys, admission = ReceiptKeyRepository(store, stages), AdmissionCheck(keys)
    limits, wrong_proofs = RateLimits(settings.rates), WrongProofs()
    stores = IntakeStores(
        store, submissions, versions, papers, keys, receipt_keys, stages, limits=(limits, wrong_proofs)
    )
    erasure = ErasureParticipant("intake", store, stores, bus, service_key)
    people = PersonErasures("intake", store, IntakePeople(store), bus.parking, service_key)
    closing = CampaignClosing(store, submissions, papers, stages, clock, settings.settle_s)
    watch = PeriodicTasks(
        campaigns.values(),
        (closing.close_if_over, erasure.carry_out, people.carry_out, receipt_keys.forget_if_erased),
        every_s=settings.watch_s,
    )
    pin, public_keys = PinnedKeys(settings.signing_key_file), PublicKeys(settings.service_keys_dir)
    settlement = PaperSettlement(papers, submissions, receipt_keys, signer)
    access = StaffAccess.make(
        "intake",
        store,
        settings.origins,
        vault_key_file=settings.signing_key_file,
        state_dir=settings.state_dir,
    )
    _connect(bus, MessageHandlers(submissions, settlement, keys, stages, erasure, pin.all), pin, access)
    bus.consume(PersonErasureRequested, people.on_requested)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            await store.ensure([*COLLECTIONS, *erasure_collections(), *person_collections(), *sign_in.collections()])
            await refuse_erased_ids(store, campaigns.values())
            await stages.ensure(campaigns)
            await receipt_keys.ensure(campaigns)
            async with bus, watch.running():
                yield

    submitting = SubmissionService(
        campaigns,
        Acceptance(submissions, admission, stages, receipt_keys, ApplicationPublisher(bus), clock),
        limits,
        body_timeout_s=settings.body_timeout_s,
        work_bits=settings.work_bits,
    )
    correcting = VersionService(
        submissions,
        VersionAcceptance(store, campaigns, submissions, versions, admission, stages, signer, clock),
        limits,
        wrong_proofs,
        body_timeout_s=settings.body_timeout_s,
    )
    papers_routes = papers_router(
        campaigns,
        PaperAcceptance(papers, admission, stages, receipt_keys, bus, clock),
        token_file=settings.paper_token_file,
        body_timeout_s=settings.paper_timeout_s,
    )
    app, lottery = _empty(lifespan), settings.origins.get("lottery", "")
    for router in (
        applications_router(submitting, correcting),
        status_router(campaigns, submissions, StatusReader(stages), limits),
        receipt_keys_router(public_keys),
        campaigns_router(campaigns, keys, clock),
        postal_router(PostalCodes(), limits),
        papers_routes,
        operations_router(campaigns, submissions, papers, keys, stages, staff=access.guard(Right.READ_APPLICATIONS)),
        access.router(),
        site_router(_site(campaigns, keys, stages, clock, pin, public_keys, lottery)),
    ):
        app.include_router(router)
    app.add_middleware(CrossOriginCalls, lottery=lottery, vault=settings.origins.get("vault", ""))
    app.add_middleware(FastPath, submitting=submitting)
    app.add_middleware(RequestLimits, staff=access.admit, routes=_BODY_LIMITS)
    app.include_router(bus.parking_router(access, make_recorder(store, "intake")))
    app.include_router(health_router({"broker": bus.ready, "store": store.ping}, bus.alarms))
    return app


def _empty(lifespan: Lifespan[FastAPI]) -> FastAPI:
    """Return the app without routes: its description, and errors as problem+json."""
    app = FastAPI(
        title="Kuji intake",
        description=_DESCRIPTION,
        version="1",
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its pages load from a third party (R-C10)
        redoc_url=None,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # a path may contain an application's id
    )
    install_problems(app)
    return app


def _site(
    campaigns: Mapping[CampaignId, Campaign],
    keys: SealingKeyRepository,
    stages: CampaignStageRepository,
    clock: Clock,
    pin: PinnedKeys,
    public_keys: PublicKeys,
    lottery: str,
) -> Site:
    catalogues = catalogues_with(TEXTS)
    japanese, english = (next(catalogue for catalogue in catalogues if catalogue.lang == lang) for lang in ("ja", "en"))
    return Site(
        campaigns,
        keys,
        stages,
        clock,
        renderer=Renderer(TEMPLATES, Assets.load(DIST), catalogues),
        sheets=Sheets(Typesetter(), japanese, english),
        pin=pin,
        receipt_keys=public_keys,
        lottery=lottery,
    )


def _connect(bus: Bus, handlers: MessageHandlers, pin: PinnedKeys, access: StaffAccess) -> None:
    bus.consume(StaffChanged, access.sessions.on_changed)
    bus.consume(SealingKeyPublished, handlers.save_sealing_keys, when=_is_pinned(pin))
    bus.consume(ApplicationsDecided, handlers.save_decisions)
    bus.consume(PaperSettled, handlers.settle_papers)
    bus.consume(DrawPublished, handlers.save_draws)
    bus.consume(ErasureRequested, handlers.request_erasures)


def _is_pinned(pin: PinnedKeys) -> Callable[[], Awaitable[bool]]:
    """Before the vault's key is pinned, intake can judge no sealing key."""

    async def is_pinned() -> bool:
        return bool(pin.all())

    return is_pinned
