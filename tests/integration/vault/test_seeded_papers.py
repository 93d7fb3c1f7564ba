"""Papers of known content measure keyers, who cannot tell them apart; they are never applications."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.processes import Watchdog
from services.vault.papers import draft_repository, seeded_repository
from services.vault.papers.clamd import Scanner
from services.vault.papers.counts_repository import CountsRepository, KeyerCounts
from services.vault.papers.sandbox import PNG
from shared.ids import PaperId
from shared.staff_roles import Role
from shared.storage import OUTBOX
from tests.support import fax_images
from tests.support.clamd_server import EICAR, Clamd
from tests.support.desk_harness import BOSS, FIRST, PAPERS, SECOND, Desk, Handler, form, opened
from tests.support.vault_parts import CAMPAIGN

SEEDED = f"/v1/campaigns/{CAMPAIGN}/seeded-papers"


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(mongo_url, namespace, tmp_path) as office:
        yield office


async def seed(person: Handler, **changes: Any) -> httpx.Response:
    """Store a sheet that the office wrote, with what stands on it."""
    known = {"decision": "keyed", "applications": [form()]}
    body = {"channel": "fax", "serial": "F-900", "file": base64.b64encode(fax_images.fax(98)).decode(), "known": known}
    return await person.client.post(SEEDED, json=body | changes)


async def counts_of(desk: Desk) -> dict[str, KeyerCounts]:
    return {one.by: one for one in await CountsRepository(desk.vault.store).of_campaign(CAMPAIGN)}


async def test_a_keyer_is_measured_by_a_paper_that_looks_like_any_other_and_settles_nothing(desk: Desk):
    boss = await desk.person(BOSS, {Role.RESPONSIBLE})
    first, second = await desk.person(FIRST), await desk.person(SECOND)
    assert (await seed(boss)).json() == {"papers": 1}
    real, other = await desk.paper(), await desk.paper()
    desk.papers.keying.seeded.is_due = lambda: False
    ordinary = await second.take()
    desk.papers.keying.seeded.is_due = lambda: True
    handed = await first.take()
    assert handed is not None
    assert ordinary is not None
    assert handed["id"] not in {real, other}
    alike = {"look", "state", "channel", "pages", "versions", "open"}
    assert handed.keys() == ordinary.keys()
    assert {name: handed[name] for name in alike} == {name: ordinary[name] for name in alike}
    paper, tab = PaperId(handed["id"]), {"tab": first.tab}
    picture = await first.client.get(f"{PAPERS}/{paper}/pages/0", params=tab)
    assert picture.content.startswith(PNG)
    assert "name" in (await first.client.get(f"{PAPERS}/{paper}/fields", params=tab)).json()["fields"]
    for _ in range(2):
        answer = await first.key(paper, form(name="読み違い"))
        assert answer.json() == {"paper_id": paper, "state": "waiting", "application_ids": []}
    found = (await counts_of(desk))[FIRST]
    assert (found.papers, found.tests, found.fields, found.errors) == (0, 1, 7, {"name": 1})
    assert await desk.settled() == []
    assert await desk.vault.store.db[OUTBOX].count_documents({}) == 0
    assert await desk.vault.store.db[draft_repository.COLLECTION].count_documents({}) == 0
    listed = (await boss.client.get(PAPERS)).json()
    assert (listed["unkeyed"], [one["id"] for one in listed["papers"]]) == (2, [real, other])
    assert f"{FIRST} key-seeded-paper measured" in await desk.actions()
    page = (await boss.client.get("/desk/papers/quality")).text
    assert f'row">{FIRST}</th><td>0</td><td>1</td><td>142.9</td><td>1</td>' in page
    assert "見本の書類: 1枚" in page
    assert "読み違い" not in page


async def test_a_person_gets_a_seeded_paper_once_among_other_work_and_again_after_a_reload(desk: Desk):
    boss, first = await desk.person(BOSS, {Role.RESPONSIBLE}), await desk.person(FIRST)
    await seed(boss)
    desk.papers.keying.seeded.is_due = lambda: True
    assert await first.take() is None, "no other work: it would be known for what it is"
    real = await desk.paper()
    handed = await first.take()
    assert handed is not None
    assert handed["id"] != real
    desk.papers.keying.seeded.is_due = lambda: False
    again = await first.take()
    assert again is not None
    assert again["id"] == handed["id"]
    await first.key(PaperId(handed["id"]), form())
    desk.papers.keying.seeded.is_due = lambda: True
    following = await first.take()
    assert following is not None
    assert following["id"] == real
    assert (await counts_of(desk))[FIRST].errors == {}


async def test_only_the_responsible_handler_stores_them_and_only_what_a_keyer_could_key(desk: Desk):
    boss, handler = await desk.person(BOSS, {Role.RESPONSIBLE}), await desk.person(FIRST)
    assert (await seed(handler)).status_code == 403
    assert (await handler.client.get(SEEDED)).status_code == 403
    broken = {"decision": "keyed", "applications": [{"v": 2}]}
    assert (await seed(boss, known=broken)).json()["type"] == "urn:kuji:problem:not-keyable"
    for file in ("not base64!", base64.b64encode(b"no picture").decode()):
        assert (await seed(boss, file=file)).json()["type"] == "urn:kuji:problem:not-a-paper"
    assert (await boss.client.get(SEEDED)).json() == {"papers": 0}


async def test_nothing_of_a_seeded_paper_is_stored_in_the_clear(desk: Desk):
    boss = await desk.person(BOSS, {Role.RESPONSIBLE})
    await seed(boss)
    stored = await desk.vault.store.db[seeded_repository.COLLECTION].find_one({})
    assert stored is not None
    assert form()["applicant"]["name"] not in json.dumps(stored, default=repr, ensure_ascii=False)
    assert fax_images.fax(98)[:64] not in bytes(stored["ciphertext"])


def test_one_in_forty_papers_is_due():
    due = sum(seeded_repository.is_one_in_share() for _ in range(40_000))
    assert 850 < due < 1150, "five standard deviations around 1,000"


async def test_a_file_is_scanned_for_malware_before_it_is_decoded_and_waits_for_a_scanner_that_is_away(
    mongo_url: str, namespace: str, tmp_path: Path, watchdog: Watchdog
):
    daemon = Clamd(tmp_path / "clamd", watchdog).start()
    async with opened(mongo_url, namespace, tmp_path, scanner=Scanner(daemon.url)) as desk:
        boss = await desk.person(BOSS, {Role.RESPONSIBLE})
        infected = await seed(boss, file=base64.b64encode(EICAR).decode())
        assert (infected.status_code, infected.json()["type"]) == (422, "urn:kuji:problem:infected")
        assert f"{BOSS} seed-paper malware" in await desk.actions()
        assert (await seed(boss)).json() == {"papers": 1}
        daemon.stop()
        assert (await seed(boss)).status_code == 503
        assert (await boss.client.get(SEEDED)).json() == {"papers": 1}


async def test_the_page_is_for_the_responsible_handler_and_names_no_unknown_campaign(desk: Desk):
    boss, first = await desk.person(BOSS, {Role.RESPONSIBLE}), await desk.person(FIRST)
    page = f"/desk/papers/quality/{CAMPAIGN}/seeded"
    assert f'href="{page}"' in (await boss.client.get("/desk/papers/quality")).text
    await seed(boss)
    shown = await boss.client.get(page)
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert 'id="pool-count">1枚' in shown.text
    assert (await first.client.get(page)).status_code == 403
    assert (await boss.client.get("/desk/papers/quality/no-such/seeded")).status_code == 404


async def test_a_request_that_is_sent_again_stores_no_second_paper_and_another_content_is_refused(desk: Desk):
    boss, request = await desk.person(BOSS, {Role.RESPONSIBLE}), "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    for _ in range(2):
        assert (await seed(boss, id=request)).json() == {"papers": 1}
    answers = await asyncio.gather(*(seed(boss, id=request, serial="F-900") for _ in range(3)))
    assert [answer.json() for answer in answers] == [{"papers": 1}] * 3
    assert [line for line in await desk.actions() if "seed-paper" in line] == [f"{BOSS} seed-paper stored"]
    for changed in ({"serial": "F-901"}, {"file": base64.b64encode(fax_images.fax(196)).decode()}):
        refused = await seed(boss, id=request, **changed)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:kuji:problem:stored-otherwise")
    other = {"decision": "keyed", "applications": [form(name="別の名前")]}
    assert (await seed(boss, id=request, known=other)).status_code == 409
    assert (await seed(boss)).json() == {"papers": 2}
    assert (await seed(boss)).json() == {"papers": 3}
    assert request not in {paper.paper.paper_id for paper in await desk.papers.keying.seeded.all(CAMPAIGN)}


async def delete(person: Handler, paper: PaperId) -> str:
    """Delete a paper as the page's form does; return what the page then says, or the status of a refusal."""
    answer = await person.client.post(f"/desk/papers/quality/{CAMPAIGN}/seeded/{paper}/delete")
    if answer.status_code != 303:
        return str(answer.status_code)
    return answer.headers["location"].partition("?answer=")[2]


async def test_the_responsible_handler_deletes_a_paper_that_nobody_keyed_and_the_log_says_so(desk: Desk):
    boss, first = await desk.person(BOSS, {Role.RESPONSIBLE}), await desk.person(FIRST)
    await seed(boss)
    (stored,) = await desk.papers.keying.seeded.all(CAMPAIGN)
    paper = stored.paper.paper_id
    assert await delete(first, paper) == "403"
    desk.papers.keying.seeded.is_due = lambda: True
    await desk.paper()
    handed = await first.take()
    assert handed is not None
    assert handed["id"] == paper
    assert await delete(boss, paper) == "held"
    desk.vault.clock.at += timedelta(minutes=11)
    assert await delete(boss, paper) == "deleted"
    assert await delete(boss, paper) == "unknown"
    assert await desk.papers.keying.seeded.all(CAMPAIGN) == []
    assert [line for line in await desk.actions() if "delete-seeded" in line] == [f"{BOSS} delete-seeded-paper deleted"]


async def test_a_paper_that_measured_a_keyer_stays(desk: Desk):
    boss, first = await desk.person(BOSS, {Role.RESPONSIBLE}), await desk.person(FIRST)
    await seed(boss)
    desk.papers.keying.seeded.is_due = lambda: True
    await desk.paper()
    handed = await first.take()
    assert handed is not None
    await first.key(PaperId(handed["id"]), form())
    assert await delete(boss, PaperId(handed["id"])) == "keyed"
    page = (await boss.client.get(f"/desk/papers/quality/{CAMPAIGN}/seeded?answer=keyed")).text
    assert "入力済みのため、できません" in page
    assert "もう入力した人がいるため" in page
    assert f"{handed['id']}/delete" not in page
