"""A handler keys a seeded paper at the page like any other, and the responsible handler reads the errors of it."""

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from shared.staff_roles import Role
from tests.support.browser import keep_picture, overflows, violations
from tests.support.desk_harness import BOSS, CAMPAIGN, FIRST, Desk, form
from tests.support.keying_browser import Site, at_desk, serving
from tests.support.paper_builders import WrittenPaper, written_papers

RESPONSIBLE = frozenset({Role.RESPONSIBLE})


@pytest.fixture
def site(mongo_url: str, tmp_path: Path) -> Iterator[Site]:
    with serving(mongo_url, tmp_path) as running:
        running.do(running.desk.headers(FIRST))
        yield running


async def seed(desk: Desk, paper: WrittenPaper) -> httpx.Response:
    """Store a paper of an adult with what stands on it, and let it be due at once."""
    desk.papers.keying.seeded.is_due = lambda: True
    [sheet] = paper.sheets
    applicant = {"name": sheet["name"], "postal_code": sheet["postal_code"], "phone": sheet["phone"]}
    address, age = sheet["town"] + sheet["street"], int(sheet["age_or_grade"])
    known = form(**applicant, address=address, age=age)
    body = {
        "channel": paper.channel,
        "serial": "F-900",
        "file": base64.b64encode(paper.file).decode(),
        "known": {"decision": "keyed", "applications": [known]},
    }
    boss = await desk.person(BOSS, RESPONSIBLE)
    return await boss.client.post(f"/v1/campaigns/{CAMPAIGN}/seeded-papers", json=body)


def test_a_handler_keys_a_seeded_paper_and_the_responsible_handler_reads_the_errors(
    site: Site, browser: Browser, tmp_path: Path
):
    adults = [paper for paper in written_papers() if len(paper.sheets) == 1 and not paper.sheets[0]["guardian"]]
    known, ordinary = adults[0], adults[1]
    assert site.do(seed(site.desk, known)).json() == {"papers": 1}
    real = site.add(ordinary)
    with at_desk(site, browser, FIRST) as first:
        first.start()
        assert first.paper not in {None, real}
        expect(first.page.locator("#facts")).to_contain_text("1回目の入力")
        first.key(known, "読み違い")
        assert first.paper == real
        expect(first.page.locator("#facts")).to_contain_text("1回目の入力")
    with at_desk(site, browser, BOSS, RESPONSIBLE) as boss:
        boss.page.goto("/desk/papers/quality")
        heads = boss.page.locator("#keyers-777-days thead th").all_inner_texts()
        row = boss.page.locator("#keyers-777-days tbody tr", has_text=FIRST).locator("th, td").all_inner_texts()
        found = dict(zip(heads, row, strict=True))
        assert (found["書類"], found["見本"], found["氏名"], found["住所"], found["電話"]) == ("0", "1", "1", "0", "0")
        expect(boss.page.locator("main")).to_contain_text("見本の書類: 1枚")
        assert violations(boss.page) == []
        assert not overflows(boss.page)
        keep_picture(boss.page, "keying-quality", tmp_path)
