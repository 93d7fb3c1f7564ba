"""Browsers of handlers at the keying page, each with one person at the keyboard and the mouse off."""

import secrets
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from shared.ids import PaperId
from shared.staff_roles import Role
from tests.support.browser import DESKTOP, opened
from tests.support.desk_harness import Desk
from tests.support.desk_harness import opened as opened_desk
from tests.support.paper_builders import WrittenPaper
from tests.support.served_app import Served, served


class Site:
    """A desk served to browsers by a thread."""

    def __init__(self, at: Served[Desk]) -> None:
        self.do, self.desk, self.url = at.do, at.harness, f"http://vault.localhost:{at.port}"

    def add(self, paper: WrittenPaper) -> PaperId:
        return self.do(self.desk.paper(paper.file, paper.channel))


@contextmanager
def serving(mongo_url: str, folder: Path) -> Iterator[Site]:
    def desk_at(port: int) -> AbstractAsyncContextManager[Desk]:
        origins = {name: f"http://{name}.localhost:{port}" for name in ("vault", "lottery", "notifier")}
        return opened_desk(mongo_url, f"t{secrets.token_hex(4)}", folder, origins=origins)

    with served(desk_at, lambda desk: desk.app) as at:
        yield Site(at)


class Keyer:
    """One person at the keyboard of the page. The mouse is off: a click fails the test."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.page, self.navigation = site, page, 0
        page.add_init_script("addEventListener('pointerdown', () => { throw new Error('a mouse') }, true)")

    def start(self) -> None:
        self.page.goto("/desk/papers/777-days")
        expect(self.page.locator("#desk, #idle").locator("visible=true")).to_be_visible()

    def press(self, key: str) -> None:
        self.navigation += 1
        self.page.keyboard.press(key)

    @property
    def paper(self) -> PaperId | None:
        found = self.page.locator("#desk").get_attribute("data-paper")
        return None if found is None else PaperId(found)

    def type(self, text: str) -> None:
        """Type as an input method does: the text comes at once."""
        self.page.keyboard.insert_text(text)

    def wait_for_another(self, than: PaperId) -> None:
        shows_another = "id => document.querySelector('#desk').dataset.paper !== id"
        self.page.wait_for_function(f"{shows_another} && !document.querySelector('#say .wrong')", arg=than)

    def key(self, paper: WrittenPaper, name: str | None = None) -> None:
        """Key the paper on the screen as a person reads it."""
        before = self.paper
        assert before is not None
        first, *more = paper.sheets
        self.key_first(first, name)
        for sheet in more:
            shares = sheet["phone"] == first["phone"]
            self.press("F7" if shares else "F6")
            if shares:
                self.key_next(sheet, first)
            else:
                self.key_first(sheet)
        self.press("Enter")
        self.wait_for_another(before)

    def key_first(self, sheet: dict[str, str], name: str | None = None) -> None:
        """Key the first person of a paper up to the classes."""
        self.type(name or sheet["name"])
        self.press("Enter")
        self.type(sheet["postal_code"])
        expect(self.page.locator("#f-address")).to_have_value(sheet["town"])
        expect(self.page.locator("#f-address")).to_be_focused()
        self.type(sheet["street"])
        self.press("Enter")
        self.type(sheet["phone"])
        self.press("Enter")
        self._age_and_choices(sheet, guardian=sheet["guardian"])

    def key_next(self, sheet: dict[str, str], first: dict[str, str]) -> None:
        """Key what the next person of a household does not share with the first."""
        expect(self.page.locator("#f-phone")).to_have_value(first["phone"])
        self.type(sheet["name"])
        self.press("Enter")
        self._age_and_choices(sheet, guardian="" if first["guardian"] else sheet["guardian"])

    def _age_and_choices(self, sheet: dict[str, str], guardian: str) -> None:
        self.type(sheet["age_or_grade"])
        self.press("Enter")
        if guardian:
            self.type(guardian)
            self.press("Enter")
        for key in sheet["classes"]:
            self.page.keyboard.press(key)


@contextmanager
def at_desk(site: Site, browser: Browser, staff_id: str, roles: frozenset[Role] | None = None) -> Iterator[Keyer]:
    headers = site.do(site.desk.headers(staff_id, roles or frozenset({Role.HANDLER})))
    name, _, value = headers["Cookie"].partition("=")
    with opened(browser, site.url, DESKTOP) as page:
        page.context.add_cookies([{"name": name, "value": value, "url": site.url}])
        yield Keyer(site, page)
