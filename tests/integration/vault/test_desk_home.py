"""The desk's first page says what waits, the oldest first, and what the draw waits for, to each person the own part."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.vault.applications import repository as applications
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.desk.rules.waiting import Age, WaitingWork, age_at, oldest_first
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.keystore import CampaignKeyGoneError
from shared.contracts import NoticeCount, NoticesCounted
from shared.ids import CampaignId
from shared.staff_roles import Role
from tests.support.desk_harness import BOSS, FIRST, SECOND, Desk, Handler, form, opened
from tests.support.identity_builders import person
from tests.support.staff_sign_in import ORIGINS


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(mongo_url, namespace, tmp_path) as office:
        yield office


async def rows(handler: Handler) -> list[str]:
    """Return the kinds of work on the page, from the top."""
    page = (await handler.client.get("/desk")).raise_for_status().text
    return re.findall(r'id="waits-([a-z]+)"', page)


async def test_home_shows_each_kind_of_work_the_oldest_first_and_the_days_progress(desk: Desk):
    first, second, _ = [await desk.person(name) for name in (FIRST, SECOND, "kato-02")]
    assert await rows(first) == []
    assert "抽選が待っているものはありません" in (await first.client.get("/desk")).text
    once, differing, agreed, _ = [await desk.paper() for _ in range(4)]
    await desk.vault.admit([person()])
    await desk.vault.store.db[applications.COLLECTION].update_many({}, {"$set": {"state": "held"}})
    await first.key(once, form())
    await first.key(differing, form())
    await second.key(differing, form(name="別の読み"))
    for keyer in (first, second):
        await keyer.key(agreed, form())
    assert await rows(second) == ["doubts", "second", "third", "first"]
    page = (await second.client.get("/desk")).text
    assert re.search(
        r"抽選は次の仕事.*確認が必要な申込み1件、.*（2回目）1件、2人の入力が違う書類1件、.*（1回目）1件", page
    )
    day = re.findall(r"<dd>([0-9]+)件</dd>", page)
    assert day == ["4", "1", "2"]
    assert person().name not in page


async def test_home_counts_what_the_notifier_leaves_to_handlers_and_leads_there(desk: Desk):
    first, slips = await desk.person(FIRST), SlipRepository(desk.vault.store)
    since = desk.vault.clock.now()

    async def count(**states: int) -> str:
        counts = tuple(NoticeCount(kind="result", channel="card", state=name, count=n) for name, n in states.items())
        event = NoticesCounted(
            campaign=desk.vault.campaign.id, counted_at=desk.vault.clock.now(), told=0, to_tell=0, to_telephone=0,
            counts=counts,
        )  # fmt: skip
        await desk.vault.store.transact(lambda uow: slips.put_counts(uow, event))
        desk.vault.clock.at += timedelta(hours=5)
        return (await first.client.get("/desk")).raise_for_status().text

    assert "waits-returned" not in await count(posted=30)
    desk.vault.clock.at = since + timedelta(hours=10)
    assert "戻ってきたはがき" in await count(posted=28, returned=2)
    page = await count(posted=25, returned=4, unclear=1)
    assert re.findall(r'id="waits-([a-z]+)"', page) == ["returned", "unclear"]
    assert "10時間0分待っています" in page
    assert f'href="{ORIGINS["notifier"]}/notices/{desk.vault.campaign.id}" target="_blank"' in page
    assert "waits-returned" not in await count(posted=25, phoned=4, unclear=1)
    page = await count(to_phone=2, failed=1, phoned=4)
    assert re.findall(r'id="waits-([a-z_]+)"', page) == ["failed", "to_phone"]
    assert page.count(f'href="{ORIGINS["notifier"]}/notices/{desk.vault.campaign.id}/telephone" target="_blank"') == 2


async def test_home_says_how_long_the_oldest_waits_so_that_nobody_computes_it(desk: Desk):
    first = await desk.person(FIRST)
    await desk.paper()
    desk.vault.clock.at += timedelta(days=2, hours=3, minutes=4)
    assert "2日3時間待っています" in (await first.client.get("/desk")).text


async def test_a_mismatch_that_nobody_on_duty_may_decide_is_shown_until_the_responsible_handler_is_there(desk: Desk):
    first, second = [await desk.person(name) for name in (FIRST, SECOND)]
    paper = await desk.paper()
    await first.key(paper, form())
    await second.key(paper, form(name="別の読み"))
    assert (await first.take(), await second.take()) == (None, None)
    assert "決められる人が" in (await first.client.get("/desk")).text
    boss = await desk.person(BOSS, {Role.RESPONSIBLE})
    assert "決められる人が" not in (await first.client.get("/desk")).text
    handed = await boss.take()
    assert handed is not None
    assert (await boss.key(paper, form())).json()["state"] == "keyed"
    assert (await desk.actions())[-1] == f"{BOSS} paper:keyed by-responsible"


async def test_who_may_not_read_applications_sees_no_campaign_and_a_stranger_the_sign_in(desk: Desk):
    engineer = await desk.person("tech-01", {Role.ENGINEER})
    await desk.paper()
    page = (await engineer.client.get("/desk")).raise_for_status().text
    assert "waits-" not in page
    assert "campaign-777-days" not in page
    engineer.client.headers.pop("cookie")
    assert (await engineer.client.get("/desk")).headers["location"].startswith("/sign-in?next=%2Fdesk")


async def test_the_responsible_handler_sees_each_keyers_errors_by_field_and_nobody_else_does(desk: Desk):
    first, second, third = [await desk.person(name) for name in (FIRST, SECOND, "kato-02")]
    boss = await desk.person(BOSS, {Role.RESPONSIBLE})
    paper = await desk.paper()
    await first.key(paper, form())
    await second.key(paper, form(name="読み違い"))
    assert (await third.key(paper, form())).json()["state"] == "keyed"
    page = (await boss.client.get("/desk/papers/quality")).raise_for_status().text
    found = {row[0]: row[1:] for row in re.findall(
        r'row">([a-z0-9-]+)</th><td>(\d+)</td><td>(\d+)</td><td>([\d.]+)</td><td>(\d+)</td>', page)}  # fmt: skip
    assert found == {FIRST: ("1", "0", "0.0", "0"), SECOND: ("1", "0", "142.9", "1")}
    assert "読み違い" not in page
    assert 'id="quality-link"' in (await boss.client.get("/desk")).text
    assert 'id="quality-link"' not in (await first.client.get("/desk")).text
    assert (await first.client.get("/desk/papers/quality")).status_code == 403


async def test_an_erased_campaign_has_no_work(desk: Desk):
    first = await desk.person(FIRST)
    await desk.paper()
    desk.vault.keystore.destroy_campaign_key(desk.vault.campaign.id)
    assert "個人情報が残っている募集はありません" in (await first.client.get("/desk")).text


def test_ages_are_whole_and_never_negative():
    now = datetime(2018, 5, 20, tzinfo=UTC)
    assert age_at(now, now + timedelta(minutes=61)) == Age(0, 1, 1)
    assert age_at(now, now - timedelta(days=1)) == Age(0, 0, 0)
    assert [age_at(now, now + timedelta(hours=hours)).key for hours in (0, 1, 30)] == ["minutes", "hours", "days"]
    work = [
        WaitingWork("first", 1, now),
        WaitingWork("doubts", 2, now - timedelta(days=1)),
        WaitingWork("third", 0, now),
    ]
    assert [one.kind for one in oldest_first(work)] == ["doubts", "first"]


async def test_home_does_not_pass_over_a_campaign_whose_key_the_token_lacks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    first = await desk.person(FIRST)

    def lack(campaign: CampaignId) -> CampaignKeys:
        raise CampaignKeyGoneError(campaign)

    monkeypatch.setattr(desk.vault.keystore, "campaign", lack)
    page = (await first.client.get("/desk")).raise_for_status().text
    assert f'id="without-key-{desk.vault.campaign.id}"' in page
    assert "個人情報が残っている募集はありません" not in page
