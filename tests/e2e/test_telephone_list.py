"""Handlers record telephone calls on a page: by keyboard, without a program, in their own name, each call once."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice
from services.notifier.rules.states import NoticeState
from shared.ids import ApplicationId, Receipt
from shared.receipts import candidates
from shared.staff_roles import Role
from shared.storage import OUTBOX, Store
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.notices_office import CAMPAIGN, NoticesOffice, run_page

S = NoticeState
PATH = f"/notices/{CAMPAIGN.id}/telephone"
_numbers = count()


@pytest.fixture
def office(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NoticesOffice]:
    home = tmp_path_factory.mktemp("calls")
    with run_page(mongo_url, f"{home.name}_page", home) as running:
        yield running


def receipt() -> Receipt:
    """Return a receipt number that no other call has."""
    return next(candidates(bytes(32), "web", ApplicationId(f"00000000-0000-4000-8000-{next(_numbers):012d}")))


def call(office: NoticesOffice, kind: str = "result", state: S = S.FAILED, **more: object) -> tuple[Notice, Receipt]:
    """Add a notice that waits for a call."""
    number = receipt()
    return office.add_call(number, kind, state, **more), number


def stored(office: NoticesOffice, notice: Notice) -> Notice:
    """Return the notice as it is stored."""
    found: list[Notice | None] = []

    async def read(store: Store) -> None:
        found.append(await NoticeRepository(store.db).find(CAMPAIGN.id, notice.id))

    office.do(read)
    assert found[0] is not None
    return found[0]


def acts(office: NoticesOffice) -> list[tuple[str, str, str]]:
    """Return person, act and case of each act that the notifier published for the audit log."""
    items: list[dict[str, str]] = []

    async def read(store: Store) -> None:
        async for line in store.db[OUTBOX].find({"name": "staff.acted"}).sort("_id", 1):
            items.extend(json.loads(line["body"])["items"])

    office.do(read)
    return [(item["sub"], item["act"], item["case"]) for item in items]


def send(office: NoticesOffice, notice: Notice, page: Page | None = None, origin: str | None = None) -> int:
    """Send the form as a program that has the page's cookies; return the status of the answer."""
    cookies = {} if page is None else {one["name"]: one["value"] for one in page.context.cookies()}
    headers = {"Host": office.url.removeprefix("http://"), "Origin": origin or office.url}
    headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    address = f"http://127.0.0.1:{office.url.rpartition(':')[2]}{PATH}/{notice.id}"
    return httpx.post(address, data={"outcome": "told"}, headers=headers).status_code


def row(page: Page, number: Receipt) -> int:
    """Return the row of a call, from 1."""
    rows = page.locator("#calls tbody tr").all()
    return next(at for at, one in enumerate(rows, 1) if number in one.inner_text())


def test_a_handler_records_a_call_by_keyboard_without_a_program_and_it_leaves_the_list(
    office: NoticesOffice, browser: Browser
) -> None:
    told, number = call(office)
    other, left = call(office, state=S.RETURNED, return_reason="moved")
    with opened(browser, office.url, DESKTOP, java_script_enabled=False) as page:
        office.sign_in(page, PATH)
        expect(page.locator("#calls tbody tr")).to_have_count(2)
        page.locator(f"#call-{row(page, number)}").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{PATH}/{told.id}?")
        expect(page.locator("input[type=radio]:checked")).to_have_count(0)
        page.locator("#told-by-telephone").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{PATH}?answer=recorded")
        expect(page.locator("#answer")).to_contain_text("記録しました")
        expect(page.locator("#calls tbody tr")).to_have_count(1)
        expect(page.locator("#calls")).to_contain_text(left)
        expect(page.locator("#calls")).to_contain_text("転居先不明")
    kept = stored(office, told)
    assert (kept.state, kept.resolved_by) == (S.PHONED, office.vault.staff_id)
    assert stored(office, other).state is S.RETURNED
    assert acts(office) == [(office.vault.staff_id, "confirm-telephoned", told.id)]


def test_a_call_that_reached_nobody_changes_nothing_and_no_outcome_is_asked_for(
    office: NoticesOffice, browser: Browser
) -> None:
    notice, _ = call(office)
    with opened(browser, office.url, DESKTOP) as page:
        office.sign_in(page, f"{PATH}/{notice.id}")
        page.locator("#outcome").evaluate("form => { form.noValidate = true; }")
        page.click("#record")
        expect(page.locator("#answer")).to_contain_text("電話の結果を選んで")
        assert violations(page) == []
        page.locator("#not-reached").check()
        tab_to(page, "record")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{PATH}?answer=kept")
        expect(page.locator("#calls tbody tr")).to_have_count(1)
    assert stored(office, notice).state is S.FAILED
    assert acts(office) == []


def test_a_call_that_another_handler_recorded_or_a_slip_took_back_is_not_recorded_again(
    office: NoticesOffice, browser: Browser
) -> None:
    notice, _ = call(office, "undecided", S.TO_PHONE)

    async def replace(store: Store) -> None:
        await NoticeRepository(store.db).replace([notice.id])

    with opened(browser, office.url, DESKTOP) as page:
        office.sign_in(page, f"{PATH}/{notice.id}")
        office.do(replace)
        page.locator("#told-by-telephone").check()
        page.click("#record")
        page.wait_for_url(f"**{PATH}?answer=changed")
        expect(page.locator("#answer")).to_contain_text("もう電話の一覧にありません")
        expect(page.locator("#no-calls")).to_be_visible()
    assert stored(office, notice).state is S.REPLACED
    assert acts(office) == []


@pytest.mark.parametrize(("size", "prefix"), [(DESKTOP, ""), (PHONE, "/en")], ids=["desktop", "phone"])
def test_the_list_says_what_may_be_said_and_names_no_person(
    office: NoticesOffice, browser: Browser, size: dict[str, int], prefix: str, tmp_path: Path
) -> None:
    calls = [
        call(office, "undecided", S.TO_PHONE),
        call(office, "undecided", S.RETURNED, return_reason="unknown-address"),
        call(office),
        call(office, "rejected", S.RETURNED, return_reason="absent"),
        call(office, "offer"),
    ]
    with opened(browser, office.url, size) as page:
        office.sign_in(page, f"{prefix}/notices/{CAMPAIGN.id}")
        page.locator("[data-task=by-telephone] a").click()
        page.wait_for_url(f"**{prefix}{PATH}")
        little = "ほかの申込みがあることは" if not prefix else "Say nothing of another application"
        expect(page.locator("[data-kind=undecided]", has_text=little)).to_have_count(2)
        expect(page.locator("[data-kind=result]", has_text=little)).to_have_count(0)
        for _, number in calls:
            expect(page.locator("#calls")).to_contain_text(number)
        assert "tok_" not in page.content()
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "telephone-list" if size == DESKTOP else "telephone-list-en", tmp_path)
        page.locator("#call-1").click()
        expect(page.locator("#outcome")).to_be_visible()
        assert violations(page) == []


def test_an_auditor_reads_the_list_and_records_no_call(office: NoticesOffice, browser: Browser) -> None:
    notice, _ = call(office)
    office.vault.roles = frozenset({Role.AUDITOR})
    with opened(browser, office.url, DESKTOP) as page:
        office.sign_in(page, PATH)
        expect(page.locator("#calls tbody tr")).to_have_count(1)
        expect(page.locator("#calls button")).to_have_count(0)
        answer = page.goto(f"{PATH}/{notice.id}")
        assert answer is not None
        assert answer.status == 403
        assert send(office, notice, page) == 403
    assert stored(office, notice).state is S.FAILED


def test_a_form_of_another_site_or_without_a_session_records_nothing(office: NoticesOffice, browser: Browser) -> None:
    notice, _ = call(office)
    with opened(browser, office.url, DESKTOP) as page:
        office.sign_in(page, PATH)
        assert send(office, notice, page, "http://elsewhere.example") == 403
    assert send(office, notice) == 401
    assert stored(office, notice).state is S.FAILED


def test_the_list_goes_on_after_a_hundred_calls(office: NoticesOffice, browser: Browser) -> None:
    office.add("result", "post", S.FAILED, 103)
    with opened(browser, office.url, DESKTOP) as page:
        office.sign_in(page, PATH)
        expect(page.locator("#calls tbody tr")).to_have_count(100)
        page.click("#next")
        expect(page.locator("#calls tbody tr")).to_have_count(3)
        expect(page.locator("#next")).to_have_count(0)
