"""Run a lottery with its pages on a real database, without a broker: an HTTP server in a thread, the rest by hand."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page

from services.lottery.allocation.allocator import LostReason
from services.lottery.draw import collections as draws
from services.lottery.draw import handlers
from services.lottery.draw.endpoints import DrawServices, staff_router
from services.lottery.draw.freeze import FreezeService
from services.lottery.draw.later_round import LaterRoundService
from services.lottery.draw.notice_progress import on_notices_counted
from services.lottery.draw.public_endpoints import PublicDraws, public_router
from services.lottery.draw.randomness_entry import RandomnessService
from services.lottery.draw.redraw import RedrawService
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.further.endpoints import FurtherRoundDesk, further_router
from services.lottery.further.open_round import FurtherRounds
from services.lottery.keys import LotteryKeys
from services.lottery.pages.draws import DrawPages, draws_router
from services.lottery.pages.site import lottery_renderer, site_router
from services.lottery.pages.verify import VerifyPages, verify_pages_router
from services.lottery.pages.withdraw import WithdrawPages, withdraw_router
from services.lottery.places import repository as places
from services.lottery.places.corrections import Corrections
from services.lottery.places.endpoints import PlaceServices, own_router, places_router
from services.lottery.places.moves import PlaceMoves
from services.lottery.places.ownership import Ownership
from services.lottery.slips import SlipSigner
from services.lottery.statistics.counts import DrawCounts
from services.lottery.statistics.overview import DrawOverview
from shared.approvals import used
from shared.campaign import Campaign
from shared.clock import FixedClock
from shared.codes import EntryId
from shared.contracts import (
    AcceptedApplication,
    ApplicationsAccepted,
    ApplicationsHeld,
    Channel,
    NoticeCount,
    NoticesCounted,
)
from shared.ids import CampaignId
from shared.service_keys import PublicKeys
from shared.staff_roles import Right
from shared.storage import Store
from shared.web import install_problems
from shared.web.sign_in import session_repository as sign_in
from shared.web.wrong_proofs import WrongProofs
from tests.support.applicants import Applicant, new_applicant, roll_of
from tests.support.executed_approvals import pinned_key_of_the_tests, reader_of_the_tests
from tests.support.intake_receipts import INTAKE
from tests.support.lottery_harness import Office, new_office
from tests.support.service_keys import keys_dir
from tests.support.staff_sign_in import PlayedVault

T = TypeVar("T")


@dataclass(frozen=True)
class LotteryHarness:
    url: str
    """Address for programs; browsers use `site`, where sign-in works."""
    vault: PlayedVault
    campaigns: Mapping[CampaignId, Campaign]
    clock: FixedClock
    mongo_url: str
    database: str
    keys: LotteryKeys
    people: dict[EntryId, Applicant] = field(default_factory=dict)
    """Applicants that were taken in, by entry."""

    @property
    def site(self) -> str:
        return self.vault.site

    def do(self, campaign: Campaign, work: Callable[[Office], Awaitable[T]]) -> T:
        """Run the function on the database as another process of the lottery would."""

        async def run() -> T:
            office = new_office(self.mongo_url, self.database, self.keys, self.clock, campaign)
            async with office.store:
                return await work(office)

        with ThreadPoolExecutor(1) as pool:  # this thread's loop is the browser's
            return pool.submit(lambda: asyncio.run(run())).result(60)

    def take_in(self, campaign: Campaign, count: int, *, held: int = 0) -> None:
        """Add `count` applications over all classes and channels, the last ones held, and the complete roll."""
        channels: tuple[Channel, ...] = ("web", "web", "web", "fax", "post")
        people = [new_applicant(campaign.id, channels[number % len(channels)]) for number in range(count)]
        doubtful = [applicant.held() for applicant in people[count - held :]]
        taken = [_accepted(campaign, number, applicant) for number, applicant in enumerate(people[: count - held])]
        parts = [tuple(taken[at : at + 100]) for at in range(0, len(taken), 100)]
        said = [ApplicationsAccepted(campaign=campaign.id, items=part) for part in parts]
        waiting = [ApplicationsHeld(campaign=campaign.id, items=tuple(doubtful))] if held else []
        closed = roll_of(campaign.id, people)

        async def work(office: Office) -> None:
            await office.store.transact(lambda uow: handlers.on_accepted(said, uow))
            await office.store.transact(lambda uow: handlers.on_held(waiting, uow))
            await office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
            await office.search()

        self.do(campaign, work)
        self.people.update({applicant.entry: applicant for applicant in people})

    def advance(self, campaign: Campaign, *, times: int = 1) -> None:
        """Advance the draw as the scheduler does, by `times` steps."""

        async def work(office: Office) -> None:
            match (await office.draw()).state:
                case DrawState.OPEN:
                    await office.freeze()
                case DrawState.FREEZING:
                    assert await office.finish()
                case DrawState.FROZEN:
                    assert await office.run()
                case DrawState.DRAWN:
                    assert await office.publish()

        for _ in range(times):
            self.do(campaign, work)

    def draw(self, campaign: Campaign) -> Draw:
        """Return the campaign's present draw."""
        return self.do(campaign, lambda office: office.draw())

    def count_notices(self, campaign: Campaign, *, told: int, to_tell: int, to_telephone: int = 0) -> None:
        """Tell the lottery the notifier's counts, in which all these notices are results."""
        results = NoticeCount(kind="result", channel="mail", state="sent", count=told + to_tell + to_telephone)
        event = NoticesCounted(
            campaign=campaign.id,
            counted_at=self.clock.now(),
            told=told,
            to_tell=to_tell,
            to_telephone=to_telephone,
            counts=(results,),
        )
        self.do(campaign, lambda office: office.store.transact(lambda uow: on_notices_counted([event], uow)))

    def winner(self, campaign: Campaign, class_id: str) -> str:
        """Return the receipt number of an entry that holds a place in the class."""

        async def work(office: Office) -> str:
            wanted = {"campaign": campaign.id, "class_id": class_id, "state": "held"}
            found = await office.store.db[places.PLACES].find_one(wanted)
            assert found is not None
            return str(found["receipt"])

        return self.do(campaign, work)

    def losses(self, campaign: Campaign, class_id: str) -> list[int]:
        """Return how many entries lost the class by each reason, counted from the stored outcomes."""

        async def work(office: Office) -> list[int]:
            stored = await office.store.db[draws.OUTCOMES].find({"draw": (await office.draw()).id}).to_list(None)
            lost = [each.get("reason") for own in stored for each in own["outcomes"] if each["class_id"] == class_id]
            return [lost.count(reason) for reason in get_args(LostReason)]

        return self.do(campaign, work)

    def sign_in(self, page: Page, path: str, actor: str = "yamada-01") -> None:
        """Open a staff page by way of the vault's sign-in page."""
        self.vault.staff_id = actor
        page.goto(path)
        page.wait_for_url(f"**{path}")


def _accepted(campaign: Campaign, number: int, applicant: Applicant) -> AcceptedApplication:
    classes = campaign.classes
    chosen = [classes[(number + step) % len(classes)] for step in range(1 + number % 3)]
    return applicant.accepted((one.id, one.seats[number % len(one.seats)]) for one in chosen)


@contextmanager
def run_lottery(mongo_url: str, database: str, home: Path, *campaigns: Campaign) -> Iterator[LotteryHarness]:
    """Run a lottery whose clock stands at the opening of the first campaign's window; tests move the clock."""
    known = {CampaignId(campaign.id): campaign for campaign in campaigns}
    clock, keys = FixedClock(campaigns[0].window.opens), LotteryKeys(keys_dir())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        vault = PlayedVault(port, home)
        harness = LotteryHarness(f"http://127.0.0.1:{port}", vault, known, clock, mongo_url, database, keys)
        harness.do(campaigns[0], _prepared(known))
        store = Store.open(mongo_url, database)
        server = uvicorn.Server(uvicorn.Config(_app(harness, store), log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield harness
        finally:
            server.should_exit = True
            thread.join(20)
            store.db.client.close()
            harness.do(campaigns[0], lambda office: office.store.db.client.drop_database(database))


def _prepared(campaigns: Mapping[CampaignId, Campaign]) -> Callable[[Office], Awaitable[None]]:
    async def work(office: Office) -> None:
        await office.store.ensure(
            [*draws.collections(), *places.collections(), *sign_in.collections(), *used.collections()]
        )
        await DrawRepository(office.store).ensure(campaigns)

    return work


def _app(harness: LotteryHarness, store: Store) -> FastAPI:
    """Return the app, wired as in services/lottery/app.py."""
    clock, campaigns = harness.clock, harness.campaigns
    pinned = pinned_key_of_the_tests()
    freezing = FreezeService(store, harness.keys, clock, campaigns, pinned)
    redrawing = RedrawService(store, clock, campaigns, pinned)
    later = LaterRoundService(store, clock, campaigns, pinned)
    renderer, access = lottery_renderer(), harness.vault.access(store)
    app = FastAPI()
    install_problems(app)
    desk = DrawServices(
        store,
        clock,
        harness.keys,
        campaigns,
        freezing,
        RandomnessService(store, clock),
        redrawing,
        later,
        reader_of_the_tests(),
    )
    rounds = FurtherRoundDesk(FurtherRounds(store, harness.clock, harness.campaigns, pinned), reader_of_the_tests())
    app.include_router(further_router(rounds, access.guard(Right.READ_DRAWS, Right.RUN_DRAWS)))
    app.include_router(staff_router(desk, access.guard(Right.READ_DRAWS, Right.RUN_DRAWS)))
    app.include_router(public_router(PublicDraws(store, harness.keys, campaigns)))
    places_desk = _places_desk(harness, store)
    app.include_router(places_router(places_desk, access.guard(Right.READ_DRAWS, Right.CORRECT_PLACES)))
    app.include_router(own_router(places_desk))
    app.include_router(withdraw_router(WithdrawPages(campaigns, clock, renderer, INTAKE)))
    app.include_router(site_router(renderer, access))
    pages = DrawPages(
        campaigns, DrawOverview(store, clock, harness.keys), DrawCounts(store), clock, renderer, access, store
    )
    app.include_router(draws_router(pages))
    harness.vault.serve_beside(app)
    app.include_router(
        verify_pages_router(
            VerifyPages(campaigns, clock, renderer, harness.keys.believed, pinned, INTAKE, PublicKeys(keys_dir()))
        )
    )
    return app


def _places_desk(harness: LotteryHarness, store: Store) -> PlaceServices:
    passes = SlipSigner(harness.keys, harness.campaigns)
    moving, correcting = PlaceMoves(store, harness.clock, passes), Corrections(store, harness.clock, passes)
    return PlaceServices(
        store, harness.campaigns, moving, Ownership(store), correcting, WrongProofs(), reader_of_the_tests()
    )
