"""Records that one person shares with others lose this person only, and go when nobody else is left on them."""

import json
import re

import pytest
from httpx import AsyncClient

from services.vault.deliveries.repository import COLLECTION as DELIVERIES
from services.vault.deliveries.repository import DeliveryRepository
from services.vault.papers.repository import COLLECTION as PAPERS
from services.vault.printroom.repository import BATCHES
from shared.erasure import PERSON_ERASURES
from tests.integration.vault.test_subject_requests import REGISTER, handler_and_ward, record
from tests.support.person_erasures import OTHERS, announcement, answer, answered, order, shared_paper
from tests.support.telephone_harness import TelephoneDesk
from tests.support.vault_parts import CAMPAIGN, Known


@pytest.fixture
async def browsers(desk: TelephoneDesk) -> tuple[AsyncClient, AsyncClient]:
    return await handler_and_ward(desk)


async def erase(desk: TelephoneDesk, browsers: tuple[AsyncClient, AsyncClient], known: Known) -> str:
    """Erase a person at the vault, up to the answers of the others; return the request's id."""
    handler, ward = browsers
    await record(handler, known, kind="erasure")
    page = (await handler.get(REGISTER)).text
    one = next(each for each in re.findall(r'data-request="(r-\w+)" data-state="received"', page))
    await ward.post(f"{REGISTER}/{one}", data={"to": "granted"})
    assert await order(handler, one, known.receipt) == 303
    await desk.erasing.carry_out(desk.register.campaign)
    return one


async def test_an_announcement_loses_every_trace_of_its_recipient_and_none_stays_empty(
    desk: TelephoneDesk, people: list[Known], browsers: tuple[AsyncClient, AsyncClient]
):
    gone, other = people
    rows = desk.staff.store.db[DELIVERIES]
    alone = announcement(gone) | {"_id": "n-2", "notice": "n-2", "state": "queued", "keys": [f"{gone.token}:alone"]}
    del alone["slots"]
    await rows.insert_many([announcement(gone, other), alone])
    await erase(desk, browsers, gone)
    [left] = await rows.find().to_list(None)
    assert (left["tokens"], left["refused"]) == ([other.token], [])
    assert str(gone.token) not in repr(left)
    assert len(left["keys"]) == len(left["slots"]) == 1
    assert await DeliveryRepository(desk.staff.store).claim("mark", 10, 60) == []


async def test_a_shared_paper_goes_with_the_last_person_on_it(
    desk: TelephoneDesk, people: list[Known], browsers: tuple[AsyncClient, AsyncClient]
):
    gone, other = people
    papers = desk.staff.store.db[PAPERS]
    paper = shared_paper(desk.register.keys, gone, other)
    await papers.insert_one(paper)
    await erase(desk, browsers, gone)
    assert [row["application_ids"] async for row in papers.find()] == [[other.application_id]]
    assert desk.forgotten == []
    one = await erase(desk, browsers, other)
    assert await papers.count_documents({}) == 0
    assert desk.forgotten == [paper["_id"]]
    await answered(desk, *(answer(service, f"person-{one}") for service in OTHERS))
    document = (await browsers[0].get(f"{REGISTER}/{one}/certificate.json")).json()
    own = {row["store"]: row["before"] for row in document["services"] if row["service"] == "vault"}
    assert own["papers"] == 1
    assert document["verdict"] == "PASS"


async def test_what_cannot_be_taken_apart_is_certified_also_after_a_crash_behind_the_deletion(
    desk: TelephoneDesk, people: list[Known], browsers: tuple[AsyncClient, AsyncClient]
):
    gone, store = people[0], desk.staff.store
    card = announcement(gone) | {"_id": "n-3", "notice": "n-3", "bulk": False, "channel": "card", "state": "printed"}
    await store.db[DELIVERIES].insert_one(card)
    batch = {"_id": "b-1", "campaign": CAMPAIGN, "printed": ["n-3"]}
    await store.db.command({"insert": BATCHES, "documents": [batch], "bypassDocumentValidation": True})
    one = await erase(desk, browsers, gone)
    await store.db[PERSON_ERASURES].update_one({}, {"$set": {"stage": "ordered"}})  # as if it had died behind it
    await desk.erasing.carry_out(desk.register.campaign)
    await answered(desk, *(answer(service, f"person-{one}") for service in OTHERS))
    document = (await browsers[0].get(f"{REGISTER}/{one}/certificate.json")).json()
    assert [row["result"] for row in document["services"] if row["store"] == "print_chunks"] == ["PENDING"]
    assert document["verdict"] == "PENDING"


async def test_what_is_written_late_is_deleted_before_it_is_certified(
    desk: TelephoneDesk, people: list[Known], browsers: tuple[AsyncClient, AsyncClient]
):
    gone, store = people[0], desk.staff.store
    one = await erase(desk, browsers, gone)
    await store.transact(
        lambda uow: desk.erasing.on_erased([answer(service, f"person-{one}") for service in OTHERS], uow)
    )
    await desk.erasing.carry_out(desk.register.campaign)
    assert (await browsers[0].get(f"{REGISTER}/{one}/certificate.json")).status_code == 422, "too early"
    await store.db[DELIVERIES].insert_one(announcement(gone))  # by a transaction that began before the order
    await answered(desk)
    content = (await browsers[0].get(f"{REGISTER}/{one}/certificate.json")).content
    assert json.loads(content)["verdict"] == "PASS"
    assert await store.db[DELIVERIES].count_documents({}) == 0
