"""Handlers decide doubts at the desk: masked until opened, each opening audited, decisions can be taken back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.vault.applications.search import DuplicateSearch
from services.vault.applications.search_again import SearchAgain
from shared.contracts import DuplicatesSearched
from shared.searched_list import name_list
from tests.support.doubts_harness import PAGE, DoubtsDesk, doubts_desk
from tests.support.duplicate_search import READINGS
from tests.support.identity_builders import person
from tests.support.vault_parts import CAMPAIGN, Known

FIRST = person(name="髙橋 一郎")
AGAIN = person(name="タカハシ イチロウ", phone="0312345678", email=None)
PERSONAL = ("髙橋", "タカハシ", "歌舞伎町", "0300000001", "0312345678", "gmail")


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[DoubtsDesk]:
    async with doubts_desk(mongo_url, namespace, tmp_path) as running_desk:
        yield running_desk


@pytest.fixture
async def pair(desk: DoubtsDesk) -> list[Known]:
    return await desk.apply([FIRST, AGAIN])


def path(pair: list[Known]) -> str:
    return f"{PAGE}/{CAMPAIGN}/{pair[0].application_id}/{pair[1].application_id}"


async def test_the_list_shows_receipts_and_agreements_and_opens_nobody(desk: DoubtsDesk, pair: list[Known]):
    browser = await desk.handler()
    end = await desk.staff.audit.end()
    page = await browser.get(PAGE)
    assert page.status_code == 200
    assert pair[0].receipt in page.text
    assert "字が違い" not in page.text
    assert "かなの読みが同じ" in page.text
    assert not [text for text in PERSONAL if text in page.text]
    assert await desk.staff.audit.end() == end


async def test_opening_a_pair_is_an_audit_line_for_each_with_the_handler_and_marks_what_differs(
    desk: DoubtsDesk, pair: list[Known]
):
    browser = await desk.handler()
    end = await desk.staff.audit.end()
    page = await browser.get(path(pair))
    lines = [json.loads(line) for line in await desk.lines(end)]
    assert [(line["actor"], line["role"], line["action"], line["purpose"]) for line in lines] == [
        ("yamada-01", "handler", "reveal:open-doubt", "desk")
    ] * 2
    assert len({line["subject"] for line in lines}) == 2
    assert page.headers["cache-control"] == "no-store"
    assert "<mark>髙橋" in page.text
    assert "別の方であることを示す" in page.text


@pytest.mark.parametrize(
    ("choice", "reason", "states"),
    [
        ("first", "duplicate", ["accepted", "rejected"]),
        ("second", "asked-by-telephone", ["rejected", "accepted"]),
        ("two-people", "namesake", ["accepted", "accepted"]),
        ("household", "twins", ["accepted", "accepted"]),
    ],
)
async def test_a_decision_settles_both_and_can_be_taken_back_until_the_freeze(
    desk: DoubtsDesk, pair: list[Known], choice: str, reason: str, states: list[str]
):
    browser = await desk.handler()
    answer = await browser.post(path(pair), data={"choice": choice, "reason": reason})
    found = await desk.states()
    assert answer.status_code == 303
    assert [found[one.application_id] for one in pair] == states
    assert "yamada-01" in (await browser.get(PAGE)).text
    await browser.post(f"{path(pair)}/undo")
    found = await desk.states()
    assert [found[one.application_id] for one in pair] == ["accepted", "held"]
    await browser.post(path(pair), data={"choice": choice, "reason": reason})
    desk.staff.clock.at = desk.register.campaign.draw.at
    late = await browser.post(f"{path(pair)}/undo")
    found = await desk.states()
    assert late.status_code == 409
    assert [found[one.application_id] for one in pair] == states


async def test_a_reason_is_chosen_and_fits_the_decision(desk: DoubtsDesk, pair: list[Known]):
    browser = await desk.handler()
    for sent in (
        {"choice": "first", "reason": "twins"},
        {"choice": "first", "reason": "髙橋さん"},
        {"reason": "twins"},
    ):
        answer = await browser.post(path(pair), data=sent)
        assert answer.status_code == 422
    assert sorted((await desk.states()).values()) == ["accepted", "held"]


async def test_a_second_handler_comes_too_late_and_is_told(desk: DoubtsDesk, pair: list[Known]):
    browser = await desk.handler()
    await browser.post(path(pair), data={"choice": "first", "reason": "duplicate"})
    answer = await browser.post(path(pair), data={"choice": "household", "reason": "twins"})
    assert answer.status_code == 409
    assert sorted((await desk.states()).values()) == ["accepted", "rejected"]


@pytest.mark.parametrize("roles", ["auditor", "reception", "engineer"])
async def test_a_person_without_the_right_sees_and_decides_nothing(desk: DoubtsDesk, pair: list[Known], roles: str):
    """Attack: with the account of another role."""
    browser = await desk.handler("kato-09", roles)
    end = await desk.staff.audit.end()
    answers = [await browser.get(PAGE), await browser.get(path(pair))]
    answers += [await browser.post(path(pair), data={"choice": "first", "reason": "duplicate"})]
    answers += [await browser.post(f"{path(pair)}/undo")]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert not [text for text in PERSONAL for answer in answers if text in answer.text]
    assert await desk.staff.audit.end() == end
    assert sorted((await desk.states()).values()) == ["accepted", "held"]


async def test_without_a_session_the_way_leads_to_the_sign_in(desk: DoubtsDesk, pair: list[Known]):
    browser = desk.staff.browser()
    assert (await browser.get(path(pair))).headers["location"].startswith("/sign-in?")
    assert (await browser.post(path(pair), data={"choice": "first", "reason": "duplicate"})).status_code == 401


async def test_an_address_stands_beside_the_postal_table_and_is_decided(desk: DoubtsDesk):
    [odd] = await desk.apply([person(postal_code="1640003")], doubts=["postal-mismatch"])
    browser = await desk.handler()
    url = f"{PAGE}/{CAMPAIGN}/{odd.application_id}"
    end = await desk.staff.audit.end()
    page = await browser.get(url)
    assert "東京都中野区東中野" in page.text
    assert "髙橋 一郎" in page.text
    assert [json.loads(line)["action"] for line in await desk.lines(end)] == ["reveal:open-address"]
    assert (await browser.post(url, data={"decision": "accept:髙橋"})).status_code == 422
    assert (await browser.post(url, data={"decision": "accept:address-in-table"})).status_code == 303
    assert set((await desk.states()).values()) == {"accepted"}


async def test_the_burden_is_shown(desk: DoubtsDesk, pair: list[Known]):
    browser = await desk.handler()
    opened = (await browser.get(path(pair))).text.split('name="opened_at" value="')[1].split('"')[0]
    await browser.post(path(pair), data={"choice": "first", "reason": "duplicate", "opened_at": opened})
    page = await browser.get(PAGE)
    assert "1,000件あたり500.0組" in page.text
    assert "1組あたり0.0分" in page.text


async def test_everybody_is_compared_again_once_the_window_is_closed(desk: DoubtsDesk):
    """Doubts that no verdict found (here: rows of before the search) are held before the freeze."""
    staff, campaign = desk.staff, desk.register.campaign
    first, again, brother = await desk.register.admit([FIRST, AGAIN, person(name="髙橋 二郎")])
    search = DuplicateSearch(staff.store, staff.keystore, staff.audit, READINGS)
    sweep = SearchAgain(staff.store, staff.keystore, staff.audit, staff.clock, search)
    end = await staff.audit.end()
    await sweep.watch(campaign)
    assert await staff.audit.end() == end, "the window is open"
    staff.clock.at = campaign.window.closes
    for _ in range(2):
        await sweep.watch(campaign)
    lines = [json.loads(line) for line in await desk.lines(end)]
    found = await desk.states()
    assert [(line["action"], line["subject"], line["outcome"]) for line in lines] == [
        ("search:everybody", None, "opened:3")
    ]
    assert sorted([found[first.application_id], found[again.application_id]]) == ["accepted", "held"]
    assert found[brother.application_id] == "accepted"


async def test_the_lottery_is_told_the_list_that_was_searched_after_what_the_search_changed(desk: DoubtsDesk):
    staff, campaign = desk.staff, desk.register.campaign
    await desk.register.admit([FIRST, AGAIN, person(name="髙橋 二郎")])
    search = DuplicateSearch(staff.store, staff.keystore, staff.audit, READINGS)
    sweep = SearchAgain(staff.store, staff.keystore, staff.audit, staff.clock, search)
    staff.clock.at = campaign.window.closes
    await sweep.watch(campaign)
    rows = await staff.store.db["applications"].find().to_list(None)
    assert sorted(row["revision"] for row in rows) == [1, 1, 2]
    [said] = await desk.register.said(DuplicatesSearched)
    listed = [(row["receipt"], row["version"], row["revision"]) for row in rows]
    assert said == DuplicatesSearched(campaign=campaign.id, list_sha256=name_list(listed), applications=3)

    another = SearchAgain(staff.store, staff.keystore, staff.audit, staff.clock, search)
    await desk.register.admit([person(name="佐藤 花子", phone="0398765432")])
    for _ in range(2):
        await another.watch(campaign)
    assert [one.applications for one in await desk.register.said(DuplicatesSearched)] == [3, 4]  # type: ignore[attr-defined]
