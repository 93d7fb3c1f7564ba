"""People use an invitation, sign in by keyboard and by passkey, and go on to another service's page and back."""

import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlencode

import pytest
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page, expect
from pyotp import TOTP
from starlette.routing import Host
from typer.testing import CliRunner

from deploy.cli.api import ask
from deploy.cli.commands import app
from deploy.cli.terminal_session import NotSignedInError
from services.vault.people.rules.account import StaffId
from shared.approvals.params import announcement_params
from shared.staff_roles import Right
from shared.web.sign_in.access import StaffAccess
from shared.web.sign_in.session_repository import collections
from shared.web.sign_in.staff import Staff
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.databases import own_database
from tests.support.people_harness import HANDLER, PASSWORD, PeopleHarness, running
from tests.support.served_app import Served, served

T = TypeVar("T")


class Site:
    """Vault and a service of its own host name, served to browsers by a thread."""

    def __init__(self, at: Served[PeopleHarness]) -> None:
        self.do, self.harness = at.do, at.harness
        self.vault, self.lottery = (f"http://{name}.localhost:{at.port}" for name in ("vault", "lottery"))


def a_service(access: StaffAccess) -> FastAPI:
    """Return a service with one page and one call, both for staff who may see draws."""
    app = FastAPI()
    app.include_router(access.router())

    @app.get("/page", response_model=None)
    async def page(request: Request) -> Response:
        staff = await access.staff(request, Right.READ_DRAWS)
        return access.to_sign_in(request) if staff is None else HTMLResponse(f"<h1>{staff.actor}</h1>")

    @app.get("/v1/who")
    async def who(staff: Annotated[Staff, Depends(access.guard(Right.READ_DRAWS, Right.RUN_DRAWS))]) -> str | None:
        return staff.actor

    return app


@contextmanager
def serving(mongo_url: str, folder: Path) -> Iterator[Site]:
    @asynccontextmanager
    async def both(port: int) -> AsyncIterator[PeopleHarness]:
        origins = {name: f"http://{name}.localhost:{port}" for name in ("vault", "lottery")}
        mark = f"t{secrets.token_hex(4)}"
        async with (
            own_database(mongo_url, f"{mark}_lottery") as store,
            running(mongo_url, mark, folder, origins) as harness,
        ):
            await store.ensure(collections())
            (folder / "pin").write_text(harness.keystore.signing.public, "ascii")
            access = StaffAccess.make("lottery", store, origins, vault_key_file=folder / "pin", state_dir=folder)
            harness.app.router.routes.insert(0, Host("lottery.localhost", a_service(access)))
            yield harness

    with served(both, lambda harness: harness.app) as at:
        yield Site(at)


@pytest.fixture(scope="module")
def site(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(mongo_url, tmp_path_factory.mktemp("people")) as running_site:
        yield running_site


@pytest.fixture(scope="module")
def codes(site: Site) -> dict[str, str]:
    """Return the invitation codes of the first two people."""
    return site.do(site.harness.first())


def type_by_keyboard(page: Page, **fields: str) -> None:
    for name, text in fields.items():
        tab_to(page, name)
        page.keyboard.type(text)


def enrol(page: Page, staff_id: str, code: str) -> None:
    """Use an invitation by keyboard."""
    page.goto("/sign-in/invitation")
    type_by_keyboard(page, id=staff_id, code=code)
    page.keyboard.press("Enter")
    secret = page.locator("#secret").inner_text().replace(" ", "")
    assert violations(page) == []
    assert not overflows(page)
    type_by_keyboard(page, code=TOTP(secret).now(), password=PASSWORD, password_again=PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/me")


def add_authenticator(page: Page) -> None:
    """Give the browser an authenticator that verifies its user."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_the_first_two_people_enrol_and_open_another_services_page(
    site: Site, codes: dict[str, str], browser: Browser, tmp_path: Path
):
    with opened(browser, site.vault, PHONE) as page, opened(browser, site.vault, DESKTOP) as other:
        enrol(page, "suzuki-01", codes["responsible"])
        expect(page.locator("#own-id")).to_have_text("suzuki-01")
        page.goto(f"{site.lottery}/page")
        expect(page.locator("h1")).to_have_text("最初の二人のサインインを待っています")
        enrol(other, "mori-01", codes["ward"])
        page.goto(f"{site.lottery}/page")
        expect(page.locator("h1")).to_have_text("suzuki-01")
        for path in ("/desk/me", "/desk/people", "/desk/roles", "/en/desk/people"):
            page.goto(site.vault + path)
            assert violations(page) == [], path
            assert not overflows(page), path
        keep_picture(page, "people", tmp_path)


@pytest.fixture
def record(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell the command line of the site."""
    (tmp_path / "token").write_text("not-a-token", "utf-8")
    port = site.vault.rpartition(":")[2]
    services = {
        name: {"url": f"http://127.0.0.1:{port}", "pages": pages, "token_file": str(tmp_path / "token")}
        for name, pages in (("vault", site.vault), ("lottery", site.lottery))
    }
    (tmp_path / "installation.json").write_text(json.dumps({"services": services}), "utf-8")
    monkeypatch.setenv("KUJI_INSTALLATION", str(tmp_path / "installation.json"))


@pytest.mark.usefixtures("record")
def test_a_terminal_acts_for_the_person_whose_page_showed_the_code(site: Site, browser: Browser, tmp_path: Path):
    with opened(browser, site.vault) as page:
        page.goto("/sign-in?next=/desk/terminal")
        code = site.do(site.harness.fresh_code("suzuki-01"))
        type_by_keyboard(page, id="suzuki-01", password=PASSWORD, code=code)
        page.keyboard.press("Enter")
        page.click("#make-code")
        shown = page.locator("#code").inner_text()
        assert violations(page) == []
    with pytest.raises(NotSignedInError):
        ask("lottery", "GET", "who")
    assert CliRunner().invoke(app, ["sign-in"], input=f"{shown}\n").exit_code == 0
    assert ask("lottery", "GET", "who") == "suzuki-01"
    assert (tmp_path / "terminal-session.json").stat().st_mode & 0o077 == 0
    assert CliRunner().invoke(app, ["sign-in"], input=f"{shown}\n").exit_code == 1
    assert CliRunner().invoke(app, ["sign-out"]).exit_code == 0
    with pytest.raises(NotSignedInError):
        ask("lottery", "GET", "who")


def test_a_person_signs_in_on_the_way_to_a_page_and_then_by_passkey(site: Site, browser: Browser):
    with opened(browser, site.vault) as page:
        page.goto(f"{site.lottery}/page")
        page.wait_for_url(re.compile(r"/sign-in\?for=lottery&nonce="))
        assert violations(page) == []
        code = site.do(site.harness.fresh_code("suzuki-01"))
        type_by_keyboard(page, id="suzuki-01", password=PASSWORD, code=code)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site.lottery}/page")
        expect(page.locator("h1")).to_have_text("suzuki-01")
        page.goto(f"{site.vault}/desk/me")
        add_authenticator(page)
        page.click("#add-passkey")
        expect(page.locator("#passkeys li")).to_have_count(1)
        page.click("#sign-out")
        page.wait_for_url("**/sign-in")
        page.click("#use-passkey")
        page.wait_for_url("**/desk/me")
        expect(page.locator("#sessions")).to_contain_text("パスキー")
        page.goto("/en/sign-in")
        page.wait_for_url("**/desk/me")


async def add_engineer(harness: PeopleHarness, vault: str) -> None:
    """Make the account of an engineer, as the two people do at their pages."""
    responsible, ward, engineer = (harness.browser(vault) for _ in range(3))
    await harness.sign_in(responsible, "suzuki-01")
    await harness.sign_in(ward, "mori-01")
    fields = {**HANDLER, "id": "sys-01", "name": "工藤太一", "roles": "engineer", "kind": "create"}
    await responsible.post("/desk/people/requests", data=fields)
    (request,) = await harness.people.requests.waiting()
    approved = await ward.post(f"/desk/people/requests/{request.id}/approve")
    await harness.accept(engineer, "sys-01", approved.text.split('id="code">')[1].split("<")[0])


def sign_in(site: Site, page: Page, staff_id: str) -> None:
    """Sign in by keyboard."""
    page.goto("/sign-in")
    code = site.do(site.harness.fresh_code(staff_id))
    type_by_keyboard(page, id=staff_id, password=PASSWORD, code=code)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/me")


def test_the_ward_ends_the_sessions_of_a_stolen_laptop_by_keyboard(site: Site, browser: Browser, tmp_path: Path):
    with opened(browser, site.vault) as laptop, opened(browser, site.vault, DESKTOP) as ward:
        sign_in(site, laptop, "suzuki-01")
        sign_in(site, ward, "mori-01")
        for path in ("/en/desk/people", "/desk/people"):
            ward.goto(path)
            assert violations(ward) == [], path
        tab_to(ward, "end-suzuki-01")
        ward.keyboard.press("Enter")
        expect(ward.locator("#sessions-ended")).to_contain_text("suzuki-01")
        assert violations(ward) == []
        keep_picture(ward, "roster", tmp_path)
        laptop.reload()
        expect(laptop.locator("#sign-in")).to_be_visible()
        for page in (laptop, ward):
            assert not overflows(page)


def test_the_ward_verifies_the_audit_log_on_its_own_device_by_keyboard(site: Site, browser: Browser, tmp_path: Path):
    with opened(browser, site.vault, DESKTOP) as page:
        sign_in(site, page, "mori-01")
        page.goto("/desk/records")
        type_by_keyboard(page, **{"expected-key": site.harness.keystore.signing.public})
        tab_to(page, "verify-log")
        page.keyboard.press("Enter")
        expect(page.locator("#verify-status")).to_have_text("すべて確かめられました。")
        expect(page.locator("#findings li")).to_have_count(4)
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "records-verified", tmp_path)
        page.locator("#expected-key").fill("A" * 43)
        page.locator("#verify-log").click()
        expect(page.locator("#verify-status")).to_have_text(
            "確かめられないものがあります。責任者と区へ知らせてください。"
        )
        expect(page.locator("#findings")).to_contain_text("× 公開鍵が、紙にあるものと違います。")


def test_an_engineer_looks_at_parked_messages_by_keyboard(site: Site, browser: Browser, tmp_path: Path):
    site.do(add_engineer(site.harness, site.vault))
    with opened(browser, site.vault) as page:
        sign_in(site, page, "sys-01")
        tab_to(page, "operations-link")
        page.keyboard.press("Enter")
        page.wait_for_url("**/desk/operations")
        expect(page.locator("#parked")).to_contain_text("ValueError")
        expect(page.locator("#roster-link")).to_have_count(0)
        page.set_viewport_size(DESKTOP)
        keep_picture(page, "operations", tmp_path)
        page.set_viewport_size(PHONE)
        for path in ("/desk/operations", "/en/desk/operations"):
            page.goto(path)
            assert violations(page) == [], path
            assert not overflows(page), path


def test_an_invitation_that_was_opened_before_says_so(site: Site, browser: Browser, tmp_path: Path):
    async def invite() -> str:
        harness, account = site.harness, StaffId("sys-01")
        return await harness.store.transact(lambda uow: harness.people.codes.invite(uow, account))

    code = site.do(invite())
    with opened(browser, site.vault) as page:
        for times in range(2):
            page.goto("/sign-in/invitation")
            type_by_keyboard(page, id="sys-01", code=code)
            page.keyboard.press("Enter")
            expect(page.locator("#secret")).to_be_visible()
            expect(page.locator("#opened-before")).to_have_count(times)
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "invitation", tmp_path)


def test_a_request_is_signed_by_keyboard_and_approved_by_passkey(site: Site, browser: Browser, tmp_path: Path):
    params = json.dumps(announcement_params("entrance-changed", None, {"entrance": "north"}, again=False))
    asked = f"/approve/new?{urlencode({'kind': 'release-notices', 'campaign': '777-days', 'params': params})}"
    with opened(browser, site.vault) as page, opened(browser, site.vault, PHONE) as other:
        sign_in(site, page, "suzuki-01")
        page.goto(asked)
        assert violations(page) == []
        code = site.do(site.harness.fresh_code("suzuki-01"))
        type_by_keyboard(page, password=PASSWORD, code=code)
        page.keyboard.press("Enter")
        expect(page.locator("#state")).to_have_text("承認待ち")
        number = page.locator("#approval-id").inner_text()
        sign_in(site, other, "mori-01")
        add_authenticator(other)
        other.click("#add-passkey")
        expect(other.locator("#passkeys li")).to_have_count(1)
        expect(other.locator("#approvals-link")).to_contain_text("1件")
        for path in ("/approve", f"/approve/{number}", "/en/approve", f"/en/approve/{number}"):
            other.goto(path)
            assert violations(other) == [], path
            assert not overflows(other), path
        keep_picture(other, "approval", tmp_path)
        tab_to(other, "sign-with-passkey")
        other.keyboard.press("Enter")
        expect(other.locator("#state")).to_have_text("approved")
        page.reload()
        expect(page.locator("#act")).to_be_visible()
        assert violations(page) == []
        tab_to(page, "take")
        page.keyboard.press("Enter")
        expect(page.locator("#executed")).to_be_focused()
        assert json.loads(page.locator("#executed").input_value())["id"] == number
        assert violations(page) == []
