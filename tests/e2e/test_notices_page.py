"""Staff read how the notices of a campaign stand: on a phone and on a desk, in Japanese and in English."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.notifier.announcements.announce import AnnouncementService
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.rules.notice import Handling, PrintBatch
from services.notifier.rules.states import NoticeState, PrintBatchState
from shared.approvals import ApprovalKind, used
from shared.ids import BatchId
from shared.storage import Store
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.executed_approvals import approval_content
from tests.support.notices_office import CAMPAIGN, NOW, NoticesOffice, run_page

S = NoticeState


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
        running.add("undecided", "post", S.TO_PHONE, 1)
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
        expect(page.locator("#count-to-tell")).to_have_text("93")
        expect(page.locator("#count-telephone")).to_have_text("2")
        tasks = [task.get_attribute("data-task") for task in page.locator("[data-task]").all()]
        assert tasks == [
            "silent", "release", "invalid", "unknown", "by-telephone", "telephone", "undelivered",
            "fetch", "count", "reorder",
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
