"""A handler corrects, withdraws and changes contacts for people who call: sealed versions, reasons, one line each."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response

from services.vault.applications.act_repository import COLLECTION as ACTS
from services.vault.applications.repository import COLLECTION as APPLICATIONS
from services.vault.identities.repository import IdentityRepository
from services.vault.keys.ciphers.opening import NotOpenedError, Opener
from shared.codes import intake_proof
from shared.contracts import ContactsRegistered
from shared.json_types import JsonObject
from tests.support.identity_builders import pupil
from tests.support.telephone_harness import PAGE, TelephoneDesk
from tests.support.vault_parts import CAMPAIGN, Known

SATO = pupil(name="佐藤 花子", phone="09011112222", address="東京都新宿区歌舞伎町1-4-1")
FIELDS = {
    "name": "佐藤 花子", "guardian": "髙橋 恵子", "postal_code": "160-0023", "address": "東京都新宿区西新宿2-8-1",
    "phone": "090-1111-2222", "email": "sato@gmail.example", "grade": "p3", "age": "",
    "order-junior-football": "1", "seats-junior-football": "1", "reason": "asked-by-telephone",
}  # fmt: skip


@pytest.fixture
async def known(desk: TelephoneDesk) -> Known:
    return (await desk.register.admit([SATO]))[0]


async def send(browser: AsyncClient, known: Known, act: str, **changed: str) -> Response:
    return await browser.post(f"{PAGE}/{known.application_id}/change/{act}", data={**FIELDS, **changed})


def posted(page: str) -> JsonObject:
    """Return what the page's program posts to intake."""
    block = re.search(r'<script type="application/json" id="page">(.*?)</script>', page, re.DOTALL)
    assert block is not None
    data: JsonObject = json.loads(block[1])
    return data


def opened(desk: TelephoneDesk, known: Known, body: Any, version: int) -> JsonObject:
    opener = Opener(CAMPAIGN, desk.register.keys)
    content: JsonObject = json.loads(
        opener.open_application(body["sealed"], body["key_id"], known.application_id, version)
    )
    return content


async def lines_after(desk: TelephoneDesk, before: int) -> list[tuple[str, str]]:
    found = [json.loads(line) for line in await desk.lines(before)]
    return [(line["action"], line["actor"]) for line in found]


async def test_a_correction_is_a_sealed_version_that_intake_takes_like_an_applicants(desk: TelephoneDesk, known: Known):
    browser = await desk.handler()
    before = await desk.end()
    page = (await send(browser, known, "correct")).raise_for_status()
    data = posted(page.text)
    assert data["url"] == f"http://intake.localhost:8101/v1/applications/{known.application_id}/versions"
    assert "connect-src 'self' http://intake.localhost:8101" in page.headers["content-security-policy"]
    body = data["body"]
    assert set(body) == {"v", "version", "key_id", "sealed", "proof"}
    assert body["proof"] == intake_proof(CAMPAIGN, known.application_id, known.code)
    content = opened(desk, known, body, 2)
    assert content["code"] == known.code
    assert content["applicant"]["address"] == FIELDS["address"]
    assert content["choices"] == [{"class": "junior-football", "seats": 1}]
    with pytest.raises(NotOpenedError):
        opened(desk, known, body, 3)
    assert await lines_after(desk, before) == [("reveal:correct-asked-by-telephone", "yamada-01")]
    assert known.code not in page.text
    assert FIELDS["address"] not in page.text


async def test_a_withdrawal_says_nothing_but_the_code(desk: TelephoneDesk, known: Known):
    browser = await desk.handler()
    page = (await send(browser, known, "withdraw")).raise_for_status()
    assert opened(desk, known, posted(page.text)["body"], 2) == {"v": 2, "withdraw": True, "code": known.code}
    act = await desk.staff.store.db[ACTS].find_one({"application_id": known.application_id})
    assert act is not None
    assert (act["act"], act["reason"], act["actor"], act["detail"]) == (
        "withdraw", "asked-by-telephone", "yamada-01", "2",
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["", "because", "lost"])
async def test_a_reason_is_chosen_from_the_list_of_the_act(desk: TelephoneDesk, known: Known, reason: str):
    browser = await desk.handler()
    refused = await send(browser, known, "correct", reason=reason)
    assert refused.status_code == 422
    assert "理由を選んで" in refused.text
    assert await desk.staff.store.db[ACTS].count_documents({}) == 0


@pytest.mark.parametrize(
    "wrong", [{"phone": "12"}, {"postal_code": "1"}, {"age": "34"}, {"order-junior-football": ""}, {"name": " "}]
)
async def test_a_form_that_the_vault_could_not_read_is_not_sealed(
    desk: TelephoneDesk, known: Known, wrong: dict[str, str]
):
    browser = await desk.handler()
    refused = await send(browser, known, "correct", **wrong)
    assert refused.status_code == 422
    assert "使えない入力" in refused.text
    assert await desk.staff.store.db[ACTS].count_documents({}) == 0


async def test_an_application_on_paper_gets_no_mail_address(desk: TelephoneDesk, known: Known):
    await desk.staff.store.db[APPLICATIONS].update_one({"_id": known.application_id}, {"$set": {"channel": "fax"}})
    browser = await desk.handler()
    page = (await send(browser, known, "correct")).raise_for_status()
    assert "email" not in opened(desk, known, posted(page.text)["body"], 2)["applicant"]


async def test_after_the_window_the_contact_alone_changes_and_the_notifier_learns_of_it(
    desk: TelephoneDesk, known: Known
):
    browser = await desk.handler()
    assert (await send(browser, known, "contact")).status_code == 422
    desk.staff.clock.at = desk.register.campaign.window.closes + timedelta(hours=1)
    for act in ("correct", "withdraw"):
        assert (await send(browser, known, act)).status_code == 422
    before = await desk.end()
    done = await send(browser, known, "contact", name="別の 名前", email="")
    assert done.status_code == 303
    assert await lines_after(desk, before) == [("reveal:contact-asked-by-telephone", "yamada-01")]
    [stored] = await IdentityRepository(desk.staff.store).by_tokens([known.token])
    changed = stored.decrypt(desk.register.keys)
    assert changed.person.address == FIELDS["address"]
    assert changed.person.name == SATO.name
    assert changed.person.grade == "p3"
    assert changed.code == known.code
    [event] = await desk.register.said(ContactsRegistered)
    assert isinstance(event, ContactsRegistered)
    assert [(item.contact, item.revision) for item in event.items] == [("post", 2)]


async def test_the_ward_and_a_stranger_change_nothing(desk: TelephoneDesk, known: Known):
    _, ward = await desk.staff.set_up()
    async with desk.staff.browser() as stranger:
        for act in ("correct", "withdraw", "contact"):
            assert (await send(ward, known, act)).status_code == 403
            assert (await send(stranger, known, act)).status_code == 401
            assert (await ward.get(f"{PAGE}/{known.application_id}/change/{act}")).status_code == 403
    assert await desk.staff.store.db[ACTS].count_documents({}) == 0


async def test_another_site_cannot_make_a_handler_change_something(desk: TelephoneDesk, known: Known):
    browser = await desk.handler()
    foreign = {"origin": "http://lottery.localhost:8102"}
    answer = await browser.post(f"{PAGE}/{known.application_id}/change/withdraw", data=FIELDS, headers=foreign)
    assert answer.status_code == 403
    assert await desk.staff.store.db[ACTS].count_documents({}) == 0


async def test_opening_a_form_is_an_opening_of_the_person(desk: TelephoneDesk, known: Known):
    browser = await desk.handler()
    before = await desk.end()
    page = (await browser.get(f"{PAGE}/{known.application_id}/change/correct")).raise_for_status().text
    assert SATO.address in page
    assert known.code not in page
    assert await lines_after(desk, before) == [("reveal:open-change", "yamada-01")]
