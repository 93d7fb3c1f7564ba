"""A lottery with its pages on a real database, without a broker: one HTTP server in a thread, the rest by hand."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page

from services.intake.receipts import candidates
from services.lottery import handlers, ledger
from services.lottery.chance import Chance
from services.lottery.drawing import Drawing
from services.lottery.endpoints import public_router, staff_router
from services.lottery.freezing import Freezing
from services.lottery.keys import LotteryKeys
from services.lottery.overview import DrawOverview
from services.lottery.pages.draws import DrawPages, draws_router
from services.lottery.pages.site import lottery_renderer, site_router
from services.lottery.publishing import Publishing
from shared.campaign import Campaign
from shared.clock import FixedClock
from shared.contracts import AcceptedApplication, ApplicationsAccepted, Choice, ReceiptsClosed
from shared.ids import CampaignId, ClassId, new_application_id, new_token
from shared.storage import Store
from shared.web import install_problems
from shared.web.signin import staff_only

T = TypeVar("T")
SECRET = "a-staff-secret"


@dataclass(frozen=True)
class Parts:
    """What a lottery process is made of, on a connection of its own."""

    store: Store
    freezing: Freezing
    chance: Chance
    drawing: Drawing
    publishing: Publishing


@dataclass(frozen=True)
class LotteryHouse:
    url: str
    campaigns: Mapping[CampaignId, Campaign]
    clock: FixedClock
    mongo_url: str
    database: str
    keys: LotteryKeys

    def do(self, work: Callable[[Parts], Awaitable[T]]) -> T:
        """As the schedule or a consumer of another process would."""

        async def run() -> T:
            store = Store.open(self.mongo_url, self.database)
            freezing = Freezing(store, self.keys, self.clock, self.campaigns)
            drawing = Drawing(store, self.keys, self.clock)
            publishing = Publishing(store, self.keys, self.campaigns)
            try:
                return await work(Parts(store, freezing, Chance(store), drawing, publishing))
            finally:
                await store.close()

        return asyncio.run(run())

    def take_in(self, campaign: Campaign, count: int) -> None:
        """So many accepted applications, over all classes and channels; and the roll, complete."""
        channels = ("web", "web", "web", "fax", "post")
        items = [_accepted(campaign, number, channels[number % len(channels)]) for number in range(count)]
        ids = tuple(item.application_id for item in items)
        parts = [tuple(items[at : at + 100]) for at in range(0, count, 100)]
        said = [ApplicationsAccepted(campaign=campaign.id, items=part) for part in parts]
        closed = ReceiptsClosed(campaign=campaign.id, part=1, parts=1, total=count, application_ids=ids)

        async def work(parts: Parts) -> None:
            await parts.store.transact(lambda uow: handlers.on_accepted(said, uow))
            await parts.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))

        self.do(work)

    def draw(self, campaign: Campaign) -> dict[str, Any]:
        """The draw's document."""

        async def work(parts: Parts) -> dict[str, Any]:
            found: dict[str, Any] | None = await parts.store.db[ledger.DRAWS].find_one({"_id": campaign.id})
            assert found is not None
            return found

        return self.do(work)

    def sign_in(self, page: Page, path: str, actor: str = "yamada-01") -> None:
        """From any staff page to itself, by way of the sign-in page."""
        page.goto(path)
        page.fill("#actor", actor)
        page.fill("#secret", SECRET)
        page.click("main button[type=submit]")
        page.wait_for_url(f"**{path}")


def _accepted(campaign: Campaign, number: int, channel: Any) -> AcceptedApplication:
    each = new_application_id()
    classes = campaign.classes
    chosen = [classes[(number + step) % len(classes)] for step in range(1 + number % 3)]
    choices = tuple(Choice(class_id=ClassId(one.id), seats=one.seats[number % len(one.seats)]) for one in chosen)
    return AcceptedApplication(
        application_id=each,
        receipt=next(candidates(channel, each)),
        token=new_token(),
        channel=channel,
        choices=choices,
        revision=1,
    )


@contextmanager
def lottery_house(mongo_url: str, database: str, home: Path, *campaigns: Campaign) -> Iterator[LotteryHouse]:
    """The clock stands where the first campaign's window has just opened; tests move it."""
    (home / "token").write_text(SECRET)
    listener = socket.create_server(("127.0.0.1", 0))
    known = {campaign.id: campaign for campaign in campaigns}
    clock = FixedClock(campaigns[0].window.opens)
    keys = LotteryKeys(home)
    house = LotteryHouse(f"http://127.0.0.1:{listener.getsockname()[1]}", known, clock, mongo_url, database, keys)
    house.do(_prepare(known))
    server = uvicorn.Server(uvicorn.Config(_app(house, home / "token"), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield house
    finally:
        server.should_exit = True
        thread.join(20)


def _prepare(campaigns: Mapping[CampaignId, Campaign]) -> Callable[[Parts], Awaitable[None]]:
    async def work(parts: Parts) -> None:
        await parts.store.ensure(ledger.collections())
        await ledger.ensure_draws(parts.store, campaigns.values())

    return work


def _app(house: LotteryHouse, token: Path) -> FastAPI:
    store = Store.open(house.mongo_url, house.database)
    freezing = Freezing(store, house.keys, house.clock, house.campaigns)
    renderer = lottery_renderer()
    app = FastAPI()
    install_problems(app)
    app.include_router(staff_router(house.campaigns, store, freezing, Chance(store), staff_only(token)))
    app.include_router(public_router(house.campaigns, store, house.keys))
    app.include_router(site_router(renderer, token))
    pages = DrawPages(house.campaigns, DrawOverview(store, house.clock), house.clock, renderer, token)
    app.include_router(draws_router(pages))
    return app
