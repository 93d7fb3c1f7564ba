"""Wire the vault: make each part once, and pass it to the parts that need it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from services.vault import audit as audit_log
from services.vault.applications import index_repository
from services.vault.applications import repository as application_repository
from services.vault.applications.endpoints import public_router, staff_router
from services.vault.applications.processing import ApplicationProcessor
from services.vault.applications.review import ReviewQueue
from services.vault.audit import AuditLog
from services.vault.closeout import repository as close_out_ledger
from services.vault.closeout.wiring import close_out
from services.vault.identities import repository as identities
from services.vault.identities.reveal import Identities
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from services.vault.keys.publish import publish_sealing_keys
from services.vault.mail import wiring as mail
from services.vault.papers import repository as papers_repository
from services.vault.papers.clamd import Scanner
from services.vault.papers.endpoints import papers_router
from services.vault.papers.inbox import PaperInbox
from services.vault.papers.sandbox import Sandbox
from services.vault.papers.settle import PaperSettler
from services.vault.people import parts as people_parts
from services.vault.people.wiring import people_routers
from services.vault.printroom import repository as print_repository
from services.vault.printroom.endpoints import print_router
from services.vault.printroom.room import PrintRoom
from services.vault.settings import VaultSettings
from shared.campaign import load_campaigns
from shared.clock import choose_clock
from shared.contracts import ApplicationReceived, ErasureCompleted, PaperReceived, PrintRequested
from shared.erasure import refuse_erased_ids
from shared.messaging import Batch, Bus
from shared.postal_codes import PostalCodes
from shared.service_keys import PublicKeys
from shared.settings import read_secret
from shared.storage import Store
from shared.typesetting import Typesetter
from shared.web import RequestLimits, admit_staff, health_router, install_problems, problem, require_staff_token
from shared.web.outages import store_errors

PROCESSING_WAIT_S = 0.25
"""Applications come one by one; a quarter of a second lets a busy hour share transactions and audit lines."""


def build(settings: VaultSettings) -> FastAPI:
    """Return the app. Its lifespan prepares the database, publishes keys, and runs the consumers."""
    campaigns = load_campaigns(settings.campaigns_dir)
    clock = choose_clock(settings.clock_file, campaigns.values())
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database, timeout_s=settings.timeout_s)
    keystore = Keystore.open(settings.keystore_dir, read_secret(settings.passphrase_file, "KUJI_PASSPHRASE_FILE"))
    bus = Bus(settings, "vault", store, able=keystore.ready)
    audit = AuditLog(store, keystore.signing, clock, settings.state_dir / "audit-checkpoints.jsonl")
    known = Identities(store, keystore, audit, campaigns)
    review = ReviewQueue(store, keystore, audit)
    processor = ApplicationProcessor(store, keystore, audit, campaigns, PostalCodes().municipalities)
    bus.consume(ApplicationReceived, processor.on_received, Batch(size=100, wait_s=PROCESSING_WAIT_S))
    typesetter = Typesetter(settings.font_dirs)
    print_room = PrintRoom(store, known, keystore, audit, campaigns, clock, typesetter)
    bus.consume(PrintRequested, print_room.on_requested, Batch(size=1, wait_s=0.0))
    scanner = Scanner(settings.clamd_url, settings.clamd_timeout_s)
    papers = PaperInbox(store, keystore, audit, campaigns, clock, scanner, Sandbox())
    bus.consume(PaperReceived, papers.on_received, Batch(size=1, wait_s=0.0))
    answer_keys = PublicKeys(settings.service_keys_dir)
    closing = close_out(settings, store, bus, keystore, answer_keys, known, audit, campaigns, typesetter, clock)
    bus.consume(ErasureCompleted, closing.answers.on_completed)

    people = people_parts.People.make(store, keystore, audit, clock, campaigns)
    listeners = (
        mail.relay(settings, keystore, known, campaigns, clock),
        mail.bounce_server(settings, keystore, campaigns, store),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            await store.ensure(
                [
                    *audit_log.collections(),
                    *identities.collections(),
                    *index_repository.collections(),
                    *application_repository.collections(),
                    *print_repository.collections(),
                    *papers_repository.collections(),
                    *close_out_ledger.collections(),
                    *people_parts.collections(),
                ]
            )
            await refuse_erased_ids(store, campaigns.values())
            await closing.repository.ensure(campaigns)
            await publish_sealing_keys(store, keystore, campaigns.values())
            listening = mail.open_servers(*listeners)
            async with audit.checkpoints(), bus, closing.watch.running(), people.duty.watching(), listening:
                yield

    guard = require_staff_token(settings.ops_token_file)
    app = FastAPI(title="Kuji vault", version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    install_problems(app)
    people_pages, people_limits = people_routers(people, settings.origins, keystore.signing, guard)
    app.add_middleware(RequestLimits, staff=admit_staff(guard), routes=people_limits)
    app.add_exception_handler(KeyDestroyedError, _on_erased)
    app.include_router(
        staff_router(campaigns, store, review, audit, keystore, guard), dependencies=[Depends(store_errors)]
    )
    for router in (
        print_router(campaigns, print_room, guard),
        papers_router(campaigns, papers, PaperSettler(store, keystore, audit), guard),
        *closing.routers(guard),
        *people_pages,
    ):
        app.include_router(router, dependencies=[Depends(store_errors)])
    app.include_router(public_router(keystore))
    app.include_router(bus.parking_router(guard))
    app.include_router(health_router({"broker": bus.ready, "store": store.ping, "keys": keystore.ready}, bus.alarms))
    return app


async def _on_erased(_: Request, __: Exception) -> JSONResponse:
    return problem(
        "erased",
        410,
        "この募集の個人情報は消去されました",
        "消去証明書を確かめてください。",
        en="The key of this campaign was destroyed; see its certificate of erasure.",
    ).response()
