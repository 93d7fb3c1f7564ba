"""Applicants see their result with its reasons, give a place up and take one: on a phone, with the keyboard."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Locator, Page, expect

from services.lottery.draw.public_endpoints import PublicDraws, public_router
from services.lottery.keys import LotteryKeys
from services.lottery.pages.site import lottery_renderer
from services.lottery.pages.withdraw import WithdrawPages, withdraw_router
from services.lottery.places.endpoints import PlaceServices, own_router
from services.lottery.places.ownership import Ownership
from shared.codes import EntryId, entry_number, format_code
from shared.web import install_problems
from shared.web.wrong_proofs import WrongProofs
from tests.support.applicants import Applicant
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.draw_builders import sample_campaign
from tests.support.executed_approvals import reader_of_the_tests
from tests.support.intake_receipts import INTAKE, play_intake
from tests.support.lottery_harness import town_of
from tests.support.places_harness import KIDS, After, results_are_out
from tests.support.service_keys import keys_dir

T = TypeVar("T")
PATH = "/c/777-days/withdraw"


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
            self.after, self.people = After.of(town), {applicant.entry: applicant for applicant in town.people}
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
        campaigns = {after.campaign.id: after.campaign}
        wrong_proofs = WrongProofs()
        owners, approvals = Ownership(after.store), reader_of_the_tests()
        desk = PlaceServices(after.store, campaigns, after.places, owners, after.correcting, wrong_proofs, approvals)
        app = FastAPI()
        install_problems(app)
        app.add_api_route("/assets/{name}", renderer.asset, methods=["GET"], response_model=None)
        app.include_router(own_router(desk))
        app.include_router(public_router(PublicDraws(after.store, LotteryKeys(keys_dir()), campaigns)))
        app.include_router(withdraw_router(WithdrawPages(campaigns, after.clock, renderer, INTAKE)))
        return app

    def owner(self, *states: str) -> Applicant:
        """Return the owner of the first place in these states."""

        async def found(after: After) -> dict[str, Any]:
            return (await after.of_class(KIDS, *states))[0]

        return self.people[self.do(found)["entry"]]

    def receiver(self, **wanted: str) -> tuple[Applicant, dict[str, Any]]:
        """Return the first application with such an outcome, and that outcome."""

        async def found(after: After) -> tuple[str, dict[str, Any]]:
            slips = [(slip["entry"], each) for slip in await after.slips() for each in slip["outcomes"]]
            return next((entry, each) for entry, each in slips if wanted.items() <= each.items())

        entry, outcome = self.do(found)
        return self.people[EntryId(entry)], outcome


@pytest.fixture(scope="module")
def harness(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithdrawHarness]:
    home = tmp_path_factory.mktemp("withdraw")
    with WithdrawHarness(mongo_url, f"{home.name}_withdraw", home) as running:
        yield running


def ask(page: Page, number: str, code: str) -> None:
    page.fill("#number", number)
    page.fill("#code", code)
    page.click("#ask button[type=submit]")


def card_of(page: Page) -> Locator:
    return page.locator("#places li").filter(has_text="エスコートキッズ")


def test_a_place_is_given_up_with_the_keyboard_and_the_next_accepts_it(
    harness: WithdrawHarness, browser: Browser, tmp_path: Path
) -> None:
    winner, waiting = harness.owner("held"), harness.owner("waiting")
    with opened(browser, harness.url, PHONE) as page:
        play_intake(page, harness.people.values())
        page.goto("/withdraw")
        page.wait_for_url(f"**{PATH}")
        assert violations(page) == []
        assert not overflows(page)
        tab_to(page, "number")
        page.keyboard.type(winner.receipt.lower())
        tab_to(page, "code")
        page.keyboard.type(format_code(waiting.code))
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("組合せが正しくありません").wait_for()
        assert violations(page) == []
        page.fill("#code", format_code(winner.code).lower())
        page.keyboard.press("Enter")
        expect(page.locator("#own h2")).to_be_focused()
        card_of(page).get_by_role("button", name="辞退する").click()
        page.get_by_role("button", name="はい、辞退します").wait_for()
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "withdraw", tmp_path)
        page.get_by_role("button", name="はい、辞退します").click()
        page.get_by_role("alert").get_by_text("辞退を受け付けました").wait_for()
        harness.do(lambda after: after.settle())
        page.click("#other")
        ask(page, waiting.receipt, waiting.code)
        page.get_by_role("button", name="参加する").click()
        page.get_by_role("alert").get_by_text("参加のお返事を受け付けました").wait_for()
        assert violations(page) == []
    assert harness.do(lambda after: after.verified()).passed


@pytest.mark.parametrize(
    ("reason", "state", "words"),
    [
        ("drawn", "落選しました", "くじの順番が来たときには"),
        ("limit", "見送りになりました", "お一人が当選できる数"),
        ("clash", "見送りになりました", "と時間が重なるため"),
    ],
)
def test_an_applicant_reads_rank_places_and_reason_of_a_class_that_was_not_given(
    harness: WithdrawHarness, browser: Browser, tmp_path: Path, reason: str, state: str, words: str
) -> None:
    applicant, outcome = harness.receiver(outcome="lost", reason=reason)
    with opened(browser, harness.url, PHONE) as page:
        page.goto(f"{PATH}#{entry_number(applicant.entry)}")
        expect(page.locator("#code")).to_be_focused()
        assert page.evaluate("location.hash") == ""
        page.keyboard.type(format_code(applicant.code))
        page.keyboard.press("Enter")
        title = next(each.title.ja for each in harness.after.campaign.classes if each.id == outcome["class_id"])
        card = page.locator("#places li").filter(has=page.get_by_role("heading", name=title))
        expect(card).to_contain_text(state)
        expect(card).to_contain_text(words)
        expect(card).to_contain_text(f"この教室を希望した{outcome['of']}件のうち{outcome['rank']}番目")
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, f"own-result-{reason}", tmp_path)


def test_entry_number_and_code_suffice_in_english_and_the_code_stays_on_the_device(
    harness: WithdrawHarness, browser: Browser
) -> None:
    held = harness.owner("held")
    with opened(browser, harness.url, DESKTOP) as page:
        asked, sent = play_intake(page, ()), list[str]()
        page.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
        page.goto(f"/en{PATH}")
        assert page.get_by_role("heading", level=1).inner_text().startswith("Your result")
        ask(page, entry_number(held.entry), format_code(held.code))
        page.get_by_text("You have a place").first.wait_for()
        assert violations(page) == []
        assert asked == []
        assert any(held.proof in request for request in sent)
        assert not any(held.code in request or format_code(held.code) in request for request in sent)
        assert page.context.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        assert page.input_value("#code") == ""


def test_a_number_that_is_none_and_a_missing_network_are_told_and_change_nothing(
    harness: WithdrawHarness, browser: Browser
) -> None:
    held = harness.owner("held")
    with opened(browser, harness.url) as page:
        page.goto(PATH)
        ask(page, "W-7K3M-9Q2P-7", "x")
        expect(page.locator("#number-error")).to_contain_text("形が正しくありません")
        expect(page.locator("#code-error")).to_contain_text("16文字")
        page.route(f"{INTAKE}/**", lambda route: route.abort())
        ask(page, held.receipt, held.code)
        page.get_by_role("alert").get_by_text("いま確かめられません").wait_for()
        expect(page.locator("#number")).to_have_value(held.receipt)
