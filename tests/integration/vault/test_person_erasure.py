"""One person is erased after the ward's decision: nothing opens any more, and a certificate says so."""

import json
import re

import pypdfium2

from services.vault.applications import repository as register
from services.vault.identities.repository import COLLECTION as IDENTITIES
from services.vault.person_erasure.rules.certificate import verify_person_certificate
from shared.contracts import ApplicationsDecided, PersonErasureRequested
from shared.storage import OUTBOX
from tests.integration.vault.test_subject_requests import REGISTER, handler_and_ward, record, request_id
from tests.support.person_erasures import OTHERS, answer, answered, asked, granted, order
from tests.support.telephone_harness import TelephoneDesk
from tests.support.vault_parts import CAMPAIGN, Known


async def test_a_person_is_erased_and_certified_and_the_others_stay(desk: TelephoneDesk, people: list[Known]):
    gone, other = people
    handler, ward, one = await granted(desk, gone)
    assert await order(handler, one, gone.receipt.lower().replace("-", "")) == 303
    store = desk.staff.store
    assert [row["_id"] async for row in store.db[register.COLLECTION].find({"state": "withdrawn"})] == [
        gone.application_id
    ]
    [request] = await asked(store)
    assert (request.receipt, request.channel, request.version) == (gone.receipt, "web", 1)
    await desk.erasing.carry_out(desk.register.campaign)
    assert [row["_id"] async for row in store.db[IDENTITIES].find()] == [other.token]
    assert [row["_id"] async for row in store.db[register.COLLECTION].find()] == [other.application_id]
    assert "待っています" in (await handler.get(REGISTER)).text
    assert (await handler.get(f"{REGISTER}/{one}/certificate.pdf")).status_code == 422

    await answered(desk, *(answer(service, request.erasure_id) for service in OTHERS))
    page = (await ward.get(REGISTER)).text
    assert 'data-state="done"' in page
    assert "certificate.pdf" in page
    content = (await ward.get(f"{REGISTER}/{one}/certificate.json")).raise_for_status().content
    assert all(check.passed for check in verify_person_certificate(content, desk.staff.keystore.signing.public))
    document = json.loads(content)
    assert (document["verdict"], document["receipt"]) == ("PASS", gone.receipt)
    assert (document["decided_by"], document["carried_out_by"]) == ("mori-01", "yamada-01")
    pdf_bytes = (await ward.get(f"{REGISTER}/{one}/certificate.pdf")).raise_for_status().content
    with pypdfium2.PdfDocument(pdf_bytes) as pdf:
        text = "".join("".join(each.get_textpage().get_text_range() for each in pdf).split()).replace("\u200b", "")
        assert bytes(pdf.get_attachment(0).get_data()) == content
    assert "消去証明書" in text
    assert gone.receipt in text
    everything = await desk.staff.stored()
    for secret in (gone.token, gone.application_id, gone.entry):
        assert str(secret) not in everything.replace(f"'{gone.application_id}:", "")
    assert (await handler.post(f"{REGISTER}/{one}", data={"to": "notified"})).status_code == 303


async def test_nobody_erases_with_one_session(desk: TelephoneDesk, people: list[Known]):
    gone = people[0]
    handler, ward = await handler_and_ward(desk)
    await record(handler, gone, kind="erasure")
    one = await request_id(handler)
    assert await order(handler, one, gone.receipt) == 422, "the ward has not granted it"
    assert (await handler.post(f"{REGISTER}/{one}", data={"to": "granted"})).status_code == 422
    assert await order(ward, one, gone.receipt) == 403
    await ward.post(f"{REGISTER}/{one}", data={"to": "granted"})
    assert await order(ward, one, gone.receipt) == 403
    assert await order(handler, one, people[1].receipt) == 422, "another receipt was typed"
    assert (await handler.post(f"{REGISTER}/{one}", data={"to": "done"})).status_code == 422
    async with desk.staff.browser() as stranger:
        assert await order(stranger, one, gone.receipt) == 401
    assert await asked(desk.staff.store) == []
    assert await desk.staff.store.db[IDENTITIES].count_documents({}) == 2
    assert await order(handler, one, gone.receipt) == 303


async def test_an_answer_that_another_service_signed_is_refused_and_what_is_left_fails(
    desk: TelephoneDesk, people: list[Known]
):
    handler, _, one = await granted(desk, people[0])
    await order(handler, one, people[0].receipt)
    [request] = await asked(desk.staff.store)
    await desk.erasing.carry_out(desk.register.campaign)
    forged = [answer(service, request.erasure_id, signer="intake") for service in ("lottery", "notifier")]
    await answered(desk, answer("intake", request.erasure_id), *forged)
    assert 'data-erasure="emptied"' in (await handler.get(REGISTER)).text
    await answered(desk, answer("lottery", request.erasure_id, left=1), answer("notifier", request.erasure_id))
    document = (await handler.get(f"{REGISTER}/{one}/certificate.json")).json()
    assert document["verdict"] == "FAIL"
    page = (await handler.get(REGISTER)).text
    assert 'data-state="granted"' in page, "a request is not done while something is left"
    assert 'data-verdict="FAIL"' in page
    assert (await handler.post(f"{REGISTER}/{one}", data={"to": "notified"})).status_code == 422


async def test_what_is_said_about_the_person_later_is_not_published(desk: TelephoneDesk, people: list[Known]):
    gone, other = people
    handler, _, one = await granted(desk, gone)
    await order(handler, one, gone.receipt)
    store = desk.staff.store
    lines = [line async for line in store.db[OUTBOX].find({"name": {"$ne": PersonErasureRequested.name}})]
    assert not [line for line in lines if gone.receipt.encode() in line["body"]]
    items = tuple(
        {"application_id": each.application_id, "receipt": each.receipt, "version": 1, "status": "complete",
         "reasons": (), "revision": 9}
        for each in people
    )  # fmt: skip
    event = ApplicationsDecided.model_validate({"v": 2, "campaign": CAMPAIGN, "items": items})
    await store.transact(lambda uow: uow.emit(event))
    [line] = await store.db[OUTBOX].find({"name": event.name}).sort("_id", -1).limit(1).to_list(None)
    assert [item.receipt for item in ApplicationsDecided.model_validate_json(line["body"]).items] == [other.receipt]


async def test_after_the_return_began_one_person_alone_is_not_erased(desk: TelephoneDesk, people: list[Known]):
    handler, _, one = await granted(desk, people[0])
    await desk.staff.store.db["closeouts"].insert_one({"_id": CAMPAIGN, "stage": "returned"})
    assert await order(handler, one, people[0].receipt) == 422


def test_a_file_that_is_no_certificate_does_not_hold():
    assert [check.passed for check in verify_person_certificate(b"{}", "A" * 43)] == [False]


async def test_a_second_request_of_an_erased_person_is_closed_by_hand(desk: TelephoneDesk, people: list[Known]):
    gone = people[0]
    handler, ward, one = await granted(desk, gone)
    await record(handler, gone, kind="erasure")
    second = next(
        each for each in re.findall(r'data-request="(r-\w+)"', (await handler.get(REGISTER)).text) if each != one
    )
    assert await order(handler, one, gone.receipt) == 303
    await desk.erasing.carry_out(desk.register.campaign)
    assert (await handler.post(f"{REGISTER}/{one}", data={"to": "done"})).status_code == 422, "the certificate does it"
    before = await desk.end()
    for browser, state in ((ward, "granted"), (handler, "done"), (handler, "notified")):
        page = (await browser.get(REGISTER)).text
        assert "applicants//" not in page
        assert (page.count("data-erased"), page.count("別の求めですでに消去")) == (
            (1, 1) if state != "notified" else (0, 0)
        )
        assert (await browser.post(f"{REGISTER}/{second}", data={"to": state})).status_code == 303
    assert {json.loads(line)["subject"] for line in await desk.lines(before)} == {None}
