"""A winner gives a place up and a waiting applicant takes it: on a phone, with the keyboard, in Chromium."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page

from services.lottery.pages.site import lottery_renderer
from services.lottery.pages.withdraw import WithdrawPages, withdraw_router
from services.lottery.places.endpoints import PlaceServices
from services.lottery.places.ownership import AttemptLimit, Ownership
from shared.web import install_problems
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.draw_builders import sample_campaign
from tests.support.lottery_harness import town_of
from tests.support.places_harness import KIDS, After, results_are_out

T = TypeVar("T")
PATH = "/c/777-days/withdraw"


@dataclass(frozen=True)
class Place:
    receipt: str
    code: str


class WithdrawHarness:
    """The page over a town whose results are out; one thread serves, and does what is asked of the town."""

    def __init__(self, mongo_url: str, database: str, folder: Path) -> None:
        self._url, self._database, self._folder = mongo_url, database, folder
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self.listener.close()

    def do(self, work: Callable[[After], Awaitable[T]]) -> T:
        async def run() -> T:
            return await work(self.after)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(60)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        async with town_of(sample_campaign(), self._url, self._database) as town:
            await results_are_out(town)
            self.after = After.of(town)
            server = uvicorn.Server(uvicorn.Config(self._app(), log_config=None))
            serving = asyncio.create_task(server.serve(sockets=[self.listener]))
            while not server.started:  # noqa: ASYNC110  (another's flag)
                await asyncio.sleep(0.02)
            self._ready.set()
            await self._stop.wait()
            server.should_exit = True
            await serving

    def _app(self) -> FastAPI:
        after, renderer = self.after, lottery_renderer()
        owners = Ownership(after.store, after.passes, AttemptLimit())
        desk = PlaceServices(after.store, {after.campaign.id: after.campaign}, after.places, owners, after.correcting)
        app = FastAPI()
        install_problems(app)
        app.add_api_route("/assets/{name}", renderer.asset, methods=["GET"], response_model=None)
        app.include_router(withdraw_router(WithdrawPages(desk, renderer)))
        return app

    def place(self, *states: str) -> Place:
        """Return the first place in these states."""

        async def found(after: After) -> dict[str, Any]:
            return (await after.of_class(KIDS, *states))[0]

        place = self.do(found)
        code = self.after.passes.code(self.after.campaign.id, place["draw"], place["application_id"])
        return Place(place["receipt"], code)


@pytest.fixture(scope="module")
def harness(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithdrawHarness]:
    home = tmp_path_factory.mktemp("withdraw")
    with WithdrawHarness(mongo_url, f"{home.name}_withdraw", home) as running:
        yield running


def shows(page: Page, place: Place) -> None:
    page.goto(PATH)
    page.fill("#receipt", place.receipt)
    page.fill("#pass_code", place.code)
    page.click("main button[type=submit]")


def test_a_place_is_given_up_with_the_keyboard_and_the_next_accepts_it(
    harness: WithdrawHarness, browser: Browser, tmp_path: Path
) -> None:
    winner, waits = harness.place("held"), harness.place("waiting")
    with opened(browser, harness.url, PHONE, java_script_enabled=True) as page:
        page.goto("/withdraw")
        page.wait_for_url(f"**{PATH}")
        assert violations(page) == []
        assert not overflows(page)
        tab_to(page, "receipt")
        page.keyboard.type(winner.receipt.lower())
        tab_to(page, "pass_code")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("組合せが正しくありません").wait_for()
        page.fill("#pass_code", winner.code)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="辞退する").first.wait_for()
        assert violations(page) == []
        card = page.locator("li.card").filter(has_text="エスコートキッズ")
        card.get_by_role("button", name="辞退する").click()
        page.get_by_role("button", name="はい、辞退します").wait_for()
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "withdraw", tmp_path)
        page.get_by_role("button", name="はい、辞退します").click()
        page.get_by_role("status").get_by_text("辞退を受け付けました").wait_for()
        harness.do(lambda after: after.settle())
        shows(page, waits)
        page.get_by_role("button", name="参加する").click()
        page.get_by_role("status").get_by_text("参加のお返事を受け付けました").wait_for()
        assert violations(page) == []
    assert harness.do(lambda after: after.verified()).passed


def test_the_page_is_there_in_english_on_a_desk_and_keeps_nothing(harness: WithdrawHarness, browser: Browser) -> None:
    held = harness.place("held")
    with opened(browser, harness.url, DESKTOP) as page:
        page.goto(f"/en{PATH}")
        assert page.get_by_role("heading", level=1).inner_text().startswith("Your place")
        page.fill("#receipt", held.receipt)
        page.fill("#pass_code", held.code)
        page.click("main button[type=submit]")
        page.get_by_text("You have a place").first.wait_for()
        assert violations(page) == []
        assert held.code not in page.url
        assert page.context.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
