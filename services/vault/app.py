"""Wire the vault: make each part once, and pass it to the parts that need it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.vault.applications import act_repository, index_repository, pair_repository, subject_request_repository
from services.vault.applications import repository as application_repository
from services.vault.applications.endpoints import public_router, staff_router
from services.vault.applications.municipalities import load_checked
from services.vault.applications.processing import ApplicationProcessor
from services.vault.applications.readings import NameReadings
from services.vault.applications.review import ReviewQueue
from services.vault.applications.search import DuplicateSearch
from services.vault.applications.search_again import SearchAgain
from services.vault.approvals import parts as approval_parts
from services.vault.approvals.vault_subjects import vault_subjects
from services.vault.approvals.wiring import approval_site
from services.vault.audit import AuditLog, Witness
from services.vault.closeout import repository as close_out_ledger
from services.vault.closeout import ward_key
from services.vault.closeout.wiring import CloseOut, close_out
from services.vault.deliveries import left_out_repository, published_draws_repository, slips_repository
from services.vault.deliveries import repository as deliveries
from services.vault.deliveries.accept import DocumentAcceptance
from services.vault.deliveries.endpoints import notices_router
from services.vault.deliveries.left_out import LeftOutNotices
from services.vault.deliveries.left_out_watch import LeftOutWatch
from services.vault.deliveries.reconcile import NoticeCounter
from services.vault.desk.wiring import desk_routers
from services.vault.dice import wiring as dice_wiring
from services.vault.doubts.wiring import doubt_routers
from services.vault.identities import repository as identities
from services.vault.identities.reveal import Identities
from services.vault.keys.access import RootAccess
from services.vault.keys.keystore import Keystore
from services.vault.keys.problems import install_key_problems
from services.vault.keys.publish import SealingKeyPublisher
from services.vault.mail import wiring as mail
from services.vault.notices import repository as template_repository
from services.vault.notices.endpoints import templates_router
from services.vault.notices.released import ReleasedTemplates
from services.vault.notices.sources import TemplateFiles
from services.vault.papers import wiring as papers_wiring
from services.vault.papers.clamd import Scanner
from services.vault.papers.wiring import Papers
from services.vault.people import parts as people_parts
from services.vault.people.access import VaultAccess
from services.vault.people.pages.operations import Operations
from services.vault.people.staff_acts import StaffActLines, make_vault_recorder
from services.vault.people.wiring import people_routers, staff_mail
from services.vault.person_erasure import wiring as person_erasure
from services.vault.person_erasure.wiring import PersonErasureDesk
from services.vault.printroom import repository as print_repository
from services.vault.printroom.endpoints import print_router
from services.vault.printroom.open_batches import PrintedBatches
from services.vault.printroom.room import PrintRoom
from services.vault.records.endpoints import audit_router
from services.vault.records.new_log import NewAuditLog
from services.vault.records.wiring import record_routers
from services.vault.settings import VaultSettings
from services.vault.telephone.wiring import telephone_routers
from shared.clock import choose_clock
from shared.contracts import ApplicationReceived, ErasureCompleted, PrintRequested, StaffActed
from shared.erasure import refuse_erased_ids
from shared.messaging import Batch, Bus
from shared.postal_codes import PostalCodes
from shared.service_keys import PublicKeys
from shared.settings import read_secret
from shared.storage import Collection, Store
from shared.typesetting import Typesetter
from shared.web import RequestLimits, health_router, install_problems
from shared.web.health import report_health

PROCESSING_WAIT_S = 0.25
"""Applications come one by one; a quarter of a second lets a busy hour share transactions and audit lines."""


def build(settings: VaultSettings) -> FastAPI:
    """Return the app. Its lifespan prepares the database, publishes keys, and runs the consumers."""
    campaigns = load_checked(settings.campaigns_dir)
    clock = choose_clock(settings.clock_file, campaigns.values())
    store = Store.open(settings.mongo_url.get_secret_value(), settings.mongo_database, timeout_s=settings.timeout_s)
    keystore = Keystore.open(settings.keystore_dir, RootAccess.of_settings(settings), lock_wait_s=settings.timeout_s)
    bus = Bus(settings, "vault", store, able=keystore.ready)
    audit = AuditLog(
        store,
        keystore.signing,
        clock,
        settings.keystore_dir / "checkpoints",
        witness=_witness(settings),
        checkpoint_s=settings.checkpoint_s,
    )
    sealing_keys = SealingKeyPublisher(store, keystore, audit, campaigns.values())
    known = Identities(store, keystore, audit, campaigns)
    municipalities, readings = PostalCodes().municipalities, NameReadings().of
    search = DuplicateSearch(store, keystore, audit, readings)
    bus.consume(
        ApplicationReceived,
        ApplicationProcessor(store, keystore, audit, campaigns, municipalities, search).on_received,
        Batch(size=100, wait_s=PROCESSING_WAIT_S),
    )
    gate = approval_parts.make_gate(store, audit, keystore.signing)
    templates = ReleasedTemplates(store, campaigns, TemplateFiles(settings.campaigns_dir), audit, clock, gate)
    public_keys, typesetter = PublicKeys(settings.service_keys_dir), Typesetter(settings.font_dirs)
    acceptance = DocumentAcceptance(store, campaigns, templates, public_keys)
    mail.consume_orders(bus, store, acceptance)
    print_room = PrintRoom(store, known, keystore, audit, campaigns, clock, typesetter, acceptance, templates)
    bus.consume(PrintRequested, print_room.on_requested, Batch(size=1, wait_s=0.0))
    printed = PrintedBatches(store, keystore, audit, gate)
    closing = close_out(settings, store, bus, keystore, public_keys, known, audit, campaigns, typesetter, clock, gate)
    dice = dice_wiring.Dice.make(store, audit, keystore.signing, clock, campaigns)
    _consume_answers(bus, closing, StaffActLines(audit, keystore, LeftOutNotices(store).on_acted), dice)

    room = mail.mail_room(settings, store, keystore, known, templates, campaigns, clock)
    people = people_parts.People.make(store, keystore, audit, clock, campaigns)
    papers = Papers.make(people, keystore, audit, clock, campaigns, municipalities, Scanner.of(settings), search)
    papers.consume(bus)
    erasing = PersonErasureDesk.make(
        settings, store, bus, keystore, audit, campaigns, search, public_keys, typesetter, clock,
        papers.pool.forget_papers,
    )  # fmt: skip
    staff_mails = staff_mail(people, settings, campaigns)
    approvals = approval_parts.ApprovalParts.make(
        store, people, audit, gate, vault_subjects(closing, templates, printed, audit)
    )
    site = approval_site(settings, people, keystore.signing, approvals, campaigns)
    bounces = mail.bounce_server(settings, keystore, known, campaigns, store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            await _prepare(store, closing, erasing)
            await sealing_keys.publish_all()
            rooms, listening = mail.running(room, bounces, settings.shutdown_s), site.listening()
            async with (
                audit.checkpoints(),
                bus,
                closing.watch.running(),
                erasing.watch.running(),
                sealing_keys.watching(),
                people.duty.watching(),
                SearchAgain(store, keystore, audit, clock, search).watching(campaigns.values()),
                LeftOutWatch(store, keystore).watching(campaigns.values()),
                rooms,
                staff_mails.running(),
                listening,
            ):
                yield

    access, review = VaultAccess(people, settings.origins), ReviewQueue(store, keystore, audit, clock)
    app = FastAPI(title="Kuji vault", version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    install_problems(app)
    checks = {"broker": bus.ready, "store": store.ping, "keys": keystore.ready}
    alarms = {
        **bus.alarms,
        **mail.alarms(room, store),
        **audit.alarms,
        "staff_mails_not_sent": people.mails.count_stuck,
        "campaigns_without_scanner": papers.count_without_scanner,
        "root_key_outside_token": keystore.count_outside_token,
    }
    operations = Operations(lambda: report_health(checks, alarms), bus.queue_depths, bus.parking.page)
    people_pages, people_limits = people_routers(
        people, settings.origins, keystore.signing, settings.setup_token_file, approvals.count_waiting, operations
    )
    app.add_middleware(RequestLimits, staff=access.admit, routes=[papers.limit(access), *people_limits, *site.limits])
    install_key_problems(app)
    for router in (
        staff_router(campaigns, store, review, audit, keystore, access),
        templates_router(campaigns, templates, access),
        notices_router(campaigns, NoticeCounter(store), access),
        print_router(campaigns, printed, access),
        papers.router(access, typesetter.prints),
        *dice.routers(access, people, settings.origins, approvals.count_waiting),
        *closing.routers(access),
        *desk_routers(settings.origins, people, approvals, keystore, papers, review, store, clock),
        *people_pages,
        *site.routers,
        audit_router(audit, NewAuditLog(store, audit, gate), access),
        *telephone_routers(
            settings.origins,
            people,
            approvals,
            keystore,
            audit,
            known,
            readings,
            campaigns,
            municipalities,
            clock,
            typesetter,
            erasing.orders,
        ),
        *doubt_routers(settings.origins, people, approvals, keystore, audit, known, campaigns, clock),
        *record_routers(settings.origins, people, approvals, audit, keystore.signing, typesetter, campaigns),
        public_router(keystore),
        bus.parking_router(access, make_vault_recorder(audit)),
        health_router(checks, alarms),
    ):
        app.include_router(router)
    return app


async def _prepare(store: Store, closing: CloseOut, erasing: PersonErasureDesk) -> None:
    """Prepare the database, and erase again whom a copy of it brought back."""
    await store.ensure(_collections())
    await refuse_erased_ids(store, closing.campaigns.values())
    await closing.repository.ensure(closing.campaigns)
    await erasing.steps.repeat_restored()


def _consume_answers(bus: Bus, closing: CloseOut, acts: StaffActLines, dice: dice_wiring.Dice) -> None:
    """Consume the other services' answers to an erasure, their acts of staff, and requests for witnesses' digits."""
    dice.consume(bus)
    bus.consume(ErasureCompleted, closing.answers.on_completed)
    bus.consume(StaffActed, acts.on_acted)


def _witness(settings: VaultSettings) -> Witness:
    """Return the witness of the audit log, if there is one. Raises ConfigurationError."""
    file = settings.witness_key_file
    return Witness.of(settings.witness_url, None if file is None else read_secret(file, "KUJI_WITNESS_KEY_FILE"))


def _collections() -> list[Collection]:
    """Return the collections of all parts."""
    parts = (
        identities, index_repository, pair_repository, application_repository, act_repository, deliveries,
        subject_request_repository, slips_repository, left_out_repository, published_draws_repository,
        template_repository, print_repository, papers_wiring, dice_wiring, close_out_ledger, ward_key, person_erasure,
        people_parts, approval_parts,
    )  # fmt: skip
    return [collection for part in parts for collection in part.collections()]
