"""Handlers find people at the telephone desk: every opening is audited, and nothing is indexed in the clear (R-C7)."""

import json

import pytest
from httpx import AsyncClient

from shared.codes import entry_number
from shared.json_types import JsonObject
from tests.support.identity_builders import person, pupil
from tests.support.people_harness import PeopleHarness
from tests.support.telephone_harness import PAGE, TelephoneDesk, search
from tests.support.vault_parts import Known

TAKAHASHI = person(name="髙橋 一郎", phone="0312345678", address="東京都新宿区歌舞伎町1-4-1")
SATO = pupil(
    name="さとう はなこ", phone="09011112222", address="東京都新宿区西新宿2-8-1 203",
    postal_code="1600023", guardian_name="佐藤 恵子", email=None,
)  # fmt: skip


@pytest.fixture
async def people(desk: TelephoneDesk) -> list[Known]:
    return await desk.register.admit([TAKAHASHI, SATO])


async def actions(desk: TelephoneDesk, after: int) -> list[tuple[str, str]]:
    """Return action and outcome of the lines after a number."""
    lines: list[JsonObject] = [json.loads(line) for line in await desk.lines(after)]
    assert all(line["purpose"] == "desk" and line["actor"] == "yamada-01" for line in lines)
    assert all(line["role"] == "handler" for line in lines)
    return [(line["action"], line["outcome"]) for line in lines]


@pytest.mark.parametrize(
    ("parts", "index"),
    [
        ({"name": "高橋一郎"}, 0),
        ({"name": "タカハシ"}, 0),
        ({"name": "サトウ ハナコ"}, 1),
        ({"name": "佐藤恵子"}, 1),
        ({"phone": "5678"}, 0),
        ({"phone": "090-1111-2222"}, 1),
        ({"address": "歌舞伎町１丁目４番１号"}, 0),
        ({"address": "〒160-0023"}, 1),
        ({"name": "高橋", "phone": "2222"}, None),
    ],
)
async def test_a_part_of_what_the_caller_says_finds_the_person(
    desk: TelephoneDesk, people: list[Known], parts: dict[str, str], index: int | None
):
    browser = await desk.handler()
    page = (await search(browser, **parts)).raise_for_status().text
    shown = [one.receipt for one in people if f'data-receipt="{one.receipt}"' in page]
    assert shown == ([] if index is None else [people[index].receipt])


async def test_receipt_and_entry_numbers_are_read_as_callers_say_them(desk: TelephoneDesk, people: list[Known]):
    browser = await desk.handler()
    first = people[0]
    for number in (first.receipt.lower().replace("-", " "), entry_number(first.entry)):
        page = (await search(browser, number=number)).raise_for_status().text
        assert f'data-receipt="{first.receipt}"' in page
    wrong = await search(browser, number="W-0000-0000-1")
    assert wrong.status_code == 422
    assert "読み上げて" in wrong.text


async def test_a_list_is_masked_and_leaves_one_line_for_the_scan_and_one_for_each_person(
    desk: TelephoneDesk, people: list[Known]
):
    browser = await desk.handler()
    before = await desk.end()
    page = (await search(browser, address="新宿区")).text
    for hidden in ("一郎", "はなこ", "恵子", "12345678", "歌舞伎町", "gmail"):
        assert hidden not in page
    assert "髙＊＊＊" in page
    listed = [("reveal:list-arrived", "revealed")] * len(people)
    assert await actions(desk, before) == [("search-scan:arrived", "found-2"), *listed]


async def test_each_opening_of_a_person_leaves_exactly_one_line_with_its_purpose(
    desk: TelephoneDesk, people: list[Known]
):
    browser = await desk.handler()
    subject = desk.register.keys.subject_of(people[0].application_id)
    for purpose in ("arrived", "undelivered"):
        before = await desk.end()
        page = (await browser.get(f"{PAGE}/{people[0].application_id}/{purpose}")).raise_for_status()
        assert TAKAHASHI.address in page.text
        assert page.headers["cache-control"] == "no-store"
        assert await actions(desk, before) == [(f"reveal:open-{purpose}", "revealed")]
        assert json.loads((await desk.lines(before))[0])["subject"] == subject


async def test_the_page_of_a_person_never_shows_the_code(desk: TelephoneDesk, people: list[Known]):
    browser = await desk.handler()
    page = (await browser.get(f"{PAGE}/{people[0].application_id}/arrived")).text
    code = people[0].code
    assert code not in page
    assert "-".join(code[at : at + 4] for at in range(0, 16, 4)) not in page


async def test_without_a_purpose_nothing_is_opened(desk: TelephoneDesk, people: list[Known]):
    browser = await desk.handler()
    before = await desk.end()
    for purpose in ("", "curiosity"):
        refused = await search(browser, purpose, name="高橋")
        assert refused.status_code == 422
        assert "目的" in refused.text
        assert "data-receipt" not in refused.text
    opened = await browser.get(f"{PAGE}/{people[0].application_id}/curiosity")
    assert opened.status_code == 422
    assert TAKAHASHI.address not in opened.text
    assert (await browser.get(f"{PAGE}/{people[0].application_id}")).status_code == 404
    assert await desk.end() == before


async def _ward(staff: PeopleHarness) -> AsyncClient:
    return (await staff.set_up())[1]


async def test_a_person_without_the_right_and_a_stranger_open_nobody(desk: TelephoneDesk, people: list[Known]):
    ward, path = await _ward(desk.staff), f"{PAGE}/{people[0].application_id}/arrived"
    before = await desk.end()
    async with desk.staff.browser() as stranger:
        for browser, page, form in ((ward, 403, 403), (stranger, 303, 401)):
            for answer in (await browser.get(PAGE), await browser.get(path)):
                assert answer.status_code == page
                assert TAKAHASHI.address not in answer.text
            answer = await search(browser, name="高橋")
            assert answer.status_code == form
            assert people[0].receipt not in answer.text
    assert await desk.end() == before


@pytest.mark.usefixtures("people")
async def test_another_site_cannot_send_the_form_of_a_handler(desk: TelephoneDesk):
    browser = await desk.handler()
    before = await desk.end()
    foreign = {"origin": "http://notifier.localhost:8103"}
    answer = await browser.post(PAGE, data={"purpose": "arrived", "name": "高橋"}, headers=foreign)
    assert answer.status_code == 403
    assert await desk.end() == before


async def test_a_session_of_another_service_opens_nobody(desk: TelephoneDesk, people: list[Known]):
    cookies = {"kuji-lottery-session": "x" * 43, "kuji-notifier-session": "x" * 43}
    before = await desk.end()
    async with desk.staff.browser() as other:
        other.cookies.update(cookies)
        assert (await other.get(f"{PAGE}/{people[0].application_id}/arrived")).status_code == 303
        assert (await search(other, name="高橋")).status_code == 401
    assert await desk.end() == before


async def test_results_are_limited_and_paged(desk: TelephoneDesk):
    await desk.register.admit([person(phone=f"03000{number:05}") for number in range(105)])
    browser = await desk.handler()
    first = (await search(browser, name="髙橋")).text
    assert first.count("data-receipt") == 20
    assert "105件" in first
    assert "100件まで" in first
    last = (await search(browser, name="髙橋", page="5")).text
    assert last.count("data-receipt") == 20
    assert (await search(browser, name="髙橋", page="6")).text.count("data-receipt") == 20


@pytest.mark.usefixtures("people")
async def test_nothing_that_a_handler_typed_is_stored_or_audited(desk: TelephoneDesk):
    browser = await desk.handler()
    await search(browser, name="髙橋一郎", phone="0312345678")
    stored = await desk.staff.stored() + "\n".join(await desk.lines())
    assert "髙橋一郎" not in stored
    assert "0312345678" not in stored
