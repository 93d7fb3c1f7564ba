"""Requests of people about their own data: recorded by a handler, decided by the ward alone, within 30 days."""

import hashlib
import json
import re
from datetime import timedelta

import pypdfium2
import pytest
from httpx import AsyncClient, Response

from services.vault.applications.subject_request_repository import COLLECTION
from services.vault.records.documents import TEMPLATE
from services.vault.telephone.rules.disclosure_seal import CONTEXT, verify_disclosure
from shared.canonical import canonical
from shared.signing import SigningKey, verify_in_context
from shared.typesetting import Typesetter
from tests.support.identity_builders import person
from tests.support.people_harness import DAY, HANDLER
from tests.support.telephone_harness import PAGE, TelephoneDesk
from tests.support.vault_parts import Known

REGISTER = "/desk/requests"


@pytest.fixture
async def known(desk: TelephoneDesk) -> Known:
    return (await desk.register.admit([person()]))[0]


async def handler_and_ward(desk: TelephoneDesk) -> tuple[AsyncClient, AsyncClient]:
    """Return the browsers of a handler and of the ward's officer."""
    handler = await desk.handler()
    ward = desk.staff.browser()
    assert (await desk.staff.sign_in(ward, "mori-01")).status_code == 303
    return handler, ward


async def record(browser: AsyncClient, known: Known, **changed: str) -> Response:
    fields = {"kind": "disclosure", "identity": "seen-document", **changed}
    return await browser.post(f"{PAGE}/{known.application_id}/rights/requests", data=fields)


async def request_id(browser: AsyncClient) -> str:
    found = re.search(r'data-request="(r-[0-9a-f]{20})"', (await browser.get(REGISTER)).raise_for_status().text)
    assert found is not None
    return found[1]


async def test_a_request_goes_its_way_with_one_line_for_each_step(desk: TelephoneDesk, known: Known):
    handler, ward = await handler_and_ward(desk)
    before = await desk.end()
    assert (await record(handler, known)).status_code == 303
    one = await request_id(ward)
    page = (await ward.get(REGISTER)).text
    assert known.receipt in page
    assert "あと30日" in page
    assert known.person.name not in page
    for browser, state in ((ward, "granted"), (handler, "done"), (handler, "notified")):
        assert (await browser.post(f"{REGISTER}/{one}", data={"to": state})).status_code == 303
    lines = [json.loads(line) for line in await desk.lines(before)]
    assert [(line["action"], line["actor"]) for line in lines] == [
        ("request-disclosure:received", "yamada-01"),
        ("request-disclosure:granted", "mori-01"),
        ("request-disclosure:done", "yamada-01"),
        ("request-disclosure:notified", "yamada-01"),
    ]
    assert {line["subject"] for line in lines} == {desk.register.keys.subject_of(known.application_id)}


async def test_the_ward_alone_decides_and_the_ward_carries_nothing_out(desk: TelephoneDesk, known: Known):
    handler, ward = await handler_and_ward(desk)
    await record(handler, known)
    one = await request_id(handler)
    for to in ("granted", "refused"):
        answer = await handler.post(f"{REGISTER}/{one}", data={"to": to, "reason": "kept-by-law"})
        assert answer.status_code == 422
        assert "区の担当者だけ" in answer.text
    assert (await ward.post(f"{REGISTER}/{one}", data={"to": "granted"})).status_code == 303
    assert (await ward.post(f"{REGISTER}/{one}", data={"to": "done"})).status_code == 422
    assert (await record(ward, known)).status_code == 403


async def test_a_refusal_has_a_reason_from_the_list_and_no_step_is_left_out(desk: TelephoneDesk, known: Known):
    handler, ward = await handler_and_ward(desk)
    await record(handler, known)
    one = await request_id(ward)
    for fields in ({"to": "refused"}, {"to": "refused", "reason": "because"}, {"to": "notified"}, {"to": "gone"}):
        assert (await ward.post(f"{REGISTER}/{one}", data=fields)).status_code == 422
    assert (await handler.post(f"{REGISTER}/{one}", data={"to": "notified"})).status_code == 422
    fields = {"to": "refused", "reason": "not-identified"}
    assert (await ward.post(f"{REGISTER}/{one}", data=fields)).status_code == 303
    assert (await ward.post(f"{REGISTER}/{one}", data={"to": "granted"})).status_code == 422
    assert "本人と確かめられない" in (await ward.get(REGISTER)).text


@pytest.mark.parametrize("fields", [{"kind": "anything"}, {"identity": ""}, {"identity": "trust-me"}])
async def test_a_request_without_a_known_kind_or_identity_check_is_not_recorded(
    desk: TelephoneDesk, known: Known, fields: dict[str, str]
):
    handler = await desk.handler()
    assert (await record(handler, known, **fields)).status_code == 422
    assert await desk.staff.store.db[COLLECTION].count_documents({}) == 0


async def test_the_clock_shows_what_is_late(desk: TelephoneDesk, known: Known):
    handler = await desk.handler()
    await record(handler, known, kind="erasure")
    desk.staff.clock.at = DAY + timedelta(days=29, hours=1)
    page = (await handler.get(REGISTER)).text
    assert "あと0日" in page
    await desk.staff.store.db[COLLECTION].update_many({}, {"$set": {"due": DAY + timedelta(days=27)}})
    assert "期限を3日過ぎています" in (await handler.get(REGISTER)).text


async def test_reception_and_strangers_do_not_see_the_register(desk: TelephoneDesk):
    _, ward = await desk.staff.set_up()
    assert (await ward.get(REGISTER)).status_code == 200
    async with desk.staff.browser() as stranger:
        assert (await stranger.get(REGISTER)).status_code == 303
        assert (await stranger.post(f"{REGISTER}/r-{'0' * 20}", data={"to": "notified"})).status_code == 401
    assert HANDLER["id"] not in (await ward.get(REGISTER)).text.split('id="content"')[1].split("</main>")[0]


async def test_a_granted_disclosure_is_a_signed_pdf_and_one_opening(desk: TelephoneDesk, known: Known):
    handler, ward = await handler_and_ward(desk)
    await record(handler, known)
    one = await request_id(handler)
    path = f"{REGISTER}/{one}/disclosure.pdf"
    assert (await handler.get(path)).status_code == 422
    await ward.post(f"{REGISTER}/{one}", data={"to": "granted"})
    assert (await ward.get(path)).status_code == 403
    before = await desk.end()
    answer = (await handler.get(path)).raise_for_status()
    assert answer.headers["cache-control"] == "no-store"
    with pypdfium2.PdfDocument(answer.content) as pdf:
        text = "".join("".join(page.get_textpage().get_text_range() for page in pdf).split()).replace("\u200b", "")
        data = json.loads(bytes(pdf.get_attachment(0).get_data()))
    assert known.person.address in text
    assert known.receipt in text
    assert known.code not in text
    assert data["person"]["name"] == known.person.name
    assert verify_in_context(desk.staff.keystore.signing.public, CONTEXT, data)
    assert [json.loads(line)["action"] for line in await desk.lines(before)] == ["reveal:open-rights"]


async def disclosed(desk: TelephoneDesk, known: Known) -> bytes:
    """Return the PDF of a disclosure that the ward granted."""
    handler, ward = await handler_and_ward(desk)
    await record(handler, known)
    one = await request_id(handler)
    await ward.post(f"{REGISTER}/{one}", data={"to": "granted"})
    return (await handler.get(f"{REGISTER}/{one}/disclosure.pdf")).raise_for_status().content


def resealed(rows: list[list[str]], document: bytes) -> bytes:
    """Return a page that says these rows, with the sealed data of another attached and their hash printed."""
    data = {
        "name": "disclosure", "title": "保有個人情報の開示", "office": "区", "made_at": "", "columns": ["項目", "内容"],
        "widths": [1.0, 4.0], "rows": rows, "sha256": hashlib.sha256(document).hexdigest(),
    }  # fmt: skip
    return Typesetter().pdf(TEMPLATE, data, standard="a-3b", document=document)


async def test_the_seal_of_a_disclosure_holds_and_no_change_goes_unnoticed(desk: TelephoneDesk):
    [known] = await desk.register.admit(
        [person(name="髙𣘺 一郎", address="東京都新宿区西新宿2-8-1 第二本庁舎 1203号室")]
    )
    pdf, key = await disclosed(desk, known), desk.staff.keystore.signing.public
    assert [check.passed for check in verify_disclosure(pdf, key)] == [True] * 4
    with pypdfium2.PdfDocument(pdf) as document:
        sealed = bytes(document.get_attachment(0).get_data())
    rows = json.loads(sealed)["rows"]
    assert all(check.passed for check in verify_disclosure(resealed(rows, sealed), key))

    def failed(content: bytes, public: str = key) -> set[str]:
        return {check.name for check in verify_disclosure(content, public) if not check.passed}

    changed = [[label, value.replace("1203", "1204")] for label, value in rows]
    assert failed(resealed(changed, sealed)) == {"page"}
    assert failed(resealed(changed, canonical(json.loads(sealed) | {"rows": changed}))) == {"seal"}
    assert failed(pdf, SigningKey.generate().public) == {"seal"}
    assert failed(b"%PDF-1.7") == failed(b"{}") == {"form"}
