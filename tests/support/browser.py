"""Drive Debian's Chromium with Playwright, and check pages with axe-core."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserType, Page, expect, sync_playwright

from deploy.web_build import build as pages

ROOT: Final = Path(__file__).resolve().parents[2]
PHONE: Final = {"width": 360, "height": 740}
DESKTOP: Final = {"width": 1280, "height": 900}
_TIMEOUT_MS: Final = 20_000
"""Also for expectations: a busy machine must not fail a test."""

_QUIET: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser."""
    with sync_playwright() as playwright, launched(playwright.chromium) as browser:
        yield browser


@contextmanager
def launched(kind: BrowserType, *more: str) -> Iterator[Browser]:
    """Yield a browser, also beside another (`browser.browser_type`). `more`: arguments, as a film for a camera."""
    program = shutil.which("chromium-headless-shell")
    assert program is not None, "the tests of pages need Debian's chromium-headless-shell; ./kuji test installs it"
    browser = kind.launch(executable_path=program, args=[*_QUIET, *more], timeout=60_000)
    yield browser
    browser.close()


@contextmanager
def opened(browser: Browser, url: str, size: dict[str, int] = PHONE, **options: Any) -> Iterator[Page]:
    """Yield a page in a context of its own. Errors of scripts and violations of the policy fail the test."""
    context = browser.new_context(base_url=url, viewport=size, locale="ja-JP", timezone_id="Asia/Tokyo", **options)
    context.set_default_timeout(_TIMEOUT_MS)
    expect.set_options(timeout=_TIMEOUT_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)
    try:
        yield page
        assert complaints == []
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """Return the violations of WCAG 2.2 AA and good practice that axe-core finds: rule and elements."""
    axe = (pages.WEB / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    page.evaluate(axe)
    found = page.evaluate("async (rules) => await axe.run(document, {runOnly: rules})", list(_RULES))
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found["violations"]]


def overflows(page: Page) -> bool:
    """Return True if a reader has to scroll sideways (WCAG 1.4.10)."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def keep_picture(page: Page, name: str, folder: Path) -> Path:
    """Save a picture of the whole page, into docs/images where KUJI_KEEP_PICTURES is set; return its path."""
    kept = ROOT / "docs" / "images" if os.environ.get("KUJI_KEEP_PICTURES") else folder
    path = kept / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def tab_to(page: Page, element_id: str) -> None:
    """Press Tab until this element has the focus. Raises AssertionError where the keyboard does not reach it."""
    for _ in range(80):
        if page.evaluate("document.activeElement?.id") == element_id:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {element_id}")
