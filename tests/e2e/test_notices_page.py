"""Staff read how the notices of a campaign stand: on a phone and on a desk, in Japanese and in English."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from services.notifier.announcements.announce import AnnouncementService
from services.notifier.collections import COLLECTIONS
from services.notifier.overview import Overview
from services.notifier.pages.notices import NoticePages, notices_router, notifier_renderer
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Handling, Notice, PrintBatch
from services.notifier.rules.states import NoticeState, PrintBatchState
from shared.approvals import ApprovalKind, used
from shared.campaign import load_campaign
from shared.clock import FixedClock
from shared.ids import BatchId, CampaignId, NoticeId, new_token
from shared.storage import Store
from shared.web import install_problems
from shared.web.sign_in import session_repository as sign_in
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.executed_approvals import approval_content
from tests.support.staff_sign_in import PlayedVault
from tests.support.vault_parts import SAMPLE

CAMPAIGN = load_campaign(SAMPLE)
S = NoticeState
NOW = datetime(2018, 6, 9, tzinfo=UTC)


@dataclass(frozen=True)
class NoticesOffice:
    """Page of one notifier, and the work of others on its database."""

    vault: PlayedVault
    clock: FixedClock
    mongo_url: str
    database: str

    def do(self, work: Callable[[Store], Awaitable[object]]) -> None:
        """Run the function on the database as the notifier would."""

        async def run() -> None:
            store = Store.open(self.mongo_url, self.database)
            try:
                await work(store)
            finally:
                await store.close()

        with ThreadPoolExecutor(1) as pool:  # this thread's loop is the browser's
            pool.submit(lambda: asyncio.run(run())).result(60)

    def add(self, kind: str, channel: str, state: NoticeState, count: int, **more: object) -> None:
        """Add notices in this state."""
        notices = [_notice(kind, channel, state, **more) for _ in range(count)]
        self.do(lambda store: NoticeRepository(store.db).insert_missing(notices))

    @property
    def url(self) -> str:
        """Address of the pages."""
        return self.vault.site

    def sign_in(self, page: Page, path: str) -> None:
        """Open a staff page by way of the vault's sign-in page."""
        page.goto(path)
        page.wait_for_url(f"**{path}")


def _notice(kind: str, channel: str, state: NoticeState, **more: object) -> Notice:
    token, notice = new_token(), NoticeId(f"n-{new_token()[4:24]}")
    facts = {
        "id": notice,
        "campaign": CAMPAIGN.id,
        "token": token,
        "kind": kind,
        "n": 1,
        "channel": channel,
        "way": "mail" if channel == "mail" else "card",
        "state": state,
        "document": notice,
        "created_at": NOW,
        "next_at": NOW,
    }
    return Notice.model_validate(facts | more)


@contextmanager
def run_page(mongo_url: str, database: str, home: Path) -> Iterator[NoticesOffice]:
    """Serve the page in a thread, without a broker."""
    clock = FixedClock(CAMPAIGN.notify_by - timedelta(hours=50))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        vault = PlayedVault(listener.getsockname()[1], home, service="notifier")
        office = NoticesOffice(vault, clock, mongo_url, database)
        office.do(lambda store: store.ensure([*COLLECTIONS, *sign_in.collections()]))
        store, app = Store.open(mongo_url, database), FastAPI()
        install_problems(app)
        pages = NoticePages(
            {CampaignId(CAMPAIGN.id): CAMPAIGN},
            store.db,
            Overview(store.db, clock),
            clock,
            notifier_renderer(),
            vault.access(store),
        )
        app.include_router(notices_router(pages))
        vault.serve_beside(app)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield office
        finally:
            server.should_exit = True
            thread.join(20)
            store.db.client.close()
            office.do(lambda store: store.db.client.drop_database(database))


@pytest.fixture(scope="module")
def office(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NoticesOffice]:
    """Serve a campaign in the middle of telling the results."""
    home = tmp_path_factory.mktemp("notices")
    with run_page(mongo_url, f"{home.name}_page", home) as running:
        for state, count in ((S.SENT, 1203), (S.DEFERRED, 14), (S.UNKNOWN, 2), (S.BOUNCED, 3), (S.REPLACED, 1)):
            running.add("result", "mail", state, count)
        for state, count in ((S.POSTED, 80), (S.MADE, 40), (S.COUNTED, 20), (S.RETURNED, 1)):
            running.add("result", "post", state, count)
        running.add("acknowledgement", "mail", S.UNDELIVERED, 4)
        running.add("rejected", "mail", S.UNRELEASED, 5)
        running.add("rejected", "mail", S.MAILING, 6, asked_at=NOW)
        running.add("offer", "mail", S.INVALID, 1)
        running.do(_announce)
        running.do(_make_batches)
        yield running


async def _announce(store: Store) -> None:
    service = AnnouncementService(store)
    await store.db["campaign_locks"].insert_one({"_id": CAMPAIGN.id, "writes": 0})
    approved = approval_content(ApprovalKind.RELEASE_NOTICES, CAMPAIGN.id, {}, "office-1")
    await store.ensure(used.collections())
    await service.announce(CAMPAIGN, "cancelled-by-weather", None, {"weather": "rain"}, approved)


async def _make_batches(store: Store) -> None:
    counted = Handling(actor="suzuki-02", at=NOW)
    for batch, state, pages, counts in (
        ("p-1111", PrintBatchState.MADE, 80, ()),
        ("p-2222", PrintBatchState.FETCHED, 40, (counted,)),
        ("p-3333", PrintBatchState.MISMATCH, 5, ()),
        ("p-4444", PrintBatchState.POSTED, 160, ()),
    ):
        made = PrintBatch(id=BatchId(batch), campaign=CAMPAIGN.id, notices=(), state=state, pages=pages, counts=counts)
        await PrintBatchRepository(store.db).insert(made)


def comes(page: Page, selector: str, text: str) -> None:
    """Wait until the page shows the text without a reload."""
    for _ in range(20):
        page.clock.run_for(3_000)
        with suppress(AssertionError):
            expect(page.locator(selector)).to_contain_text(text, timeout=300)
            return
    expect(page.locator(selector)).to_contain_text(text)


@pytest.mark.parametrize(("size", "prefix"), [(DESKTOP, ""), (PHONE, "/en")], ids=["desktop", "phone"])
def test_staff_see_who_is_still_to_be_told_and_what_waits_for_a_person(
    office: NoticesOffice, browser: Browser, size: dict[str, int], prefix: str, tmp_path: Path
) -> None:
    with opened(browser, office.url, size) as page:
        office.sign_in(page, f"{prefix}/notices/{CAMPAIGN.id}")
        expect(page.locator("#count-told")).to_have_text("1,283")
        expect(page.locator("#count-to-tell")).to_have_text("92")
        expect(page.locator("#count-telephone")).to_have_text("1")
        tasks = [task.get_attribute("data-task") for task in page.locator("[data-task]").all()]
        assert tasks == [
            "silent", "release", "invalid", "unknown", "telephone", "undelivered", "fetch", "count", "reorder"
        ]  # fmt: skip
        expect(page.locator("[data-task=count]")).to_contain_text("suzuki-02")
        expect(page.locator("[data-kind=result] [data-state=sent] td").first).to_have_text("1,203")
        assert "tok_" not in page.content()
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "notices" if size == DESKTOP else "notices-en", tmp_path)


def test_the_page_follows_the_notices_by_itself_and_says_when_the_deadline_has_passed(
    office: NoticesOffice, browser: Browser
) -> None:
    with opened(browser, office.url) as page:
        page.clock.install()
        office.sign_in(page, f"/notices/{CAMPAIGN.id}")
        expect(page.locator("#live-now")).to_contain_text("あと 50 時間")
        office.add("correction", "mail", S.SENT, 7)
        comes(page, "#count-told", "1,290")
        expect(page.locator("[data-kind=correction]")).to_contain_text("送信済み")
        office.clock.at = CAMPAIGN.notify_by + timedelta(hours=3)
        comes(page, "#live-now", "期限")
        comes(page, "#live-now", "を過ぎました（3 時間）")
        page.context.clear_cookies()
        comes(page, "#away", "サインインの時間が切れました")


def test_a_handler_comes_by_way_of_the_sign_in_page_and_signs_out_by_keyboard(
    office: NoticesOffice, browser: Browser
) -> None:
    with opened(browser, office.url) as page:
        page.goto("/")
        page.wait_for_url(f"**/notices/{CAMPAIGN.id}")
        page.goto("/notices/no-such")
        expect(page.locator("h1")).to_have_text("ページが見つかりません")
        page.goto(f"/notices/{CAMPAIGN.id}")
        page.evaluate("document.querySelector('.signed-in button').id = 'out'")
        tab_to(page, "out")
        page.keyboard.press("Enter")
        page.wait_for_url("**/signed-out")
        assert violations(page) == []
