"""Applying, as `docs/protocols.md` §1 has it, over a real socket, broker and database."""

import json
from datetime import timedelta

import pytest

from deploy.demo.client import ApplicantClient
from deploy.demo.people import population
from shared import receipts
from shared.ids import ApplicationId, new_application_id
from tests.integration.intake.conftest import Intake
from tests.support.vault_messages import CAMPAIGN
from tests.support.waiting import await_all, until

INSTANT = timedelta(seconds=1)


async def test_an_application_gets_a_receipt_once_the_vault_will_get_it(intake: Intake):
    body = intake.body()
    answer = await intake.post(body)
    assert answer.status_code == 202
    assert answer.json() == {"v": 1, "receipt": answer.json()["receipt"], "status": "received"}
    assert receipts.normalise_receipt(answer.json()["receipt"]).startswith("W-")
    await intake.vault.fetch()
    [(_, event)] = intake.vault.received
    assert event.application_id == body["application_id"]
    assert event.receipt == answer.json()["receipt"]
    assert event.received_at.date().isoformat() == "2018-05-15"
    assert intake.vault.open(event) == {"v": 1}


async def test_the_status_of_a_received_application_can_be_asked_for(intake: Intake):
    body = intake.body()
    receipt = (await intake.post(body)).json()["receipt"]
    answer = await intake.status(body["application_id"])
    assert answer.json() == {"v": 1, "receipt": receipt, "status": "received", "reasons": []}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("unknown", ["7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21", "not-an-id"])
async def test_an_unknown_application_is_404_and_says_what_to_do(intake: Intake, unknown: str):
    answer = await intake.status(unknown)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:kuji:problem:application-unknown"
    assert unknown not in answer.text


async def test_the_same_application_again_gets_the_same_answer(intake: Intake):
    body = intake.body()
    first, again = await intake.post(body), await intake.post(body)
    assert (again.status_code, again.json()) == (first.status_code, first.json())


async def test_twenty_identical_posts_at_once_are_one_application(intake: Intake):
    body = intake.body()
    answers = await await_all(*(intake.post(body) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["receipt"] for answer in answers}) == 1
    await intake.vault.fetch()
    assert len({event_id for event_id, _ in intake.vault.received}) == 1
    assert len({event.to_json() for _, event in intake.vault.received}) == 1
    assert (await intake.summary())["received"] == 1


async def test_another_body_under_the_same_id_is_a_conflict(intake: Intake):
    application_id = new_application_id()
    await intake.post(intake.body(application_id))
    answer = await intake.post(intake.body(application_id))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:kuji:problem:conflict"


async def test_of_twenty_different_bodies_under_one_id_exactly_one_is_taken(intake: Intake):
    application_id = new_application_id()
    answers = await await_all(*(intake.post(intake.body(application_id)) for _ in range(20)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [202] + [409] * 19
    await intake.vault.fetch()
    assert len({event.sealed for _, event in intake.vault.received}) == 1


async def test_before_and_after_the_window_the_web_is_closed(intake: Intake):
    window = intake.campaign.window
    intake.jump(window.opens - timedelta(minutes=5))
    early = await intake.post(intake.body())
    assert (early.status_code, early.json()["type"]) == (403, "urn:kuji:problem:not-open")
    assert early.json()["opens"] == window.opens.isoformat()
    intake.jump(window.closes)
    late = await intake.post(intake.body())
    assert (late.status_code, late.json()["type"]) == (403, "urn:kuji:problem:closed")
    assert late.json()["closed"] == window.closes.isoformat()
    await intake.vault.fetch()
    assert not intake.vault.received


async def test_what_came_in_time_is_answered_the_same_after_the_window(intake: Intake):
    body = intake.body()
    first = await intake.post(body)
    intake.jump(intake.campaign.window.closes + INSTANT)
    assert (await intake.post(body)).json() == first.json()


@pytest.mark.parametrize(("channel", "letter"), [("fax", "F"), ("post", "P")])
async def test_staff_key_in_paper_until_its_own_deadline(intake: Intake, channel: str, letter: str):
    intake.jump(intake.campaign.window.closes + INSTANT)
    answer = await intake.post(intake.body(), channel=channel, staff=intake.staff)
    assert answer.status_code == 202
    assert answer.json()["receipt"].startswith(letter)
    intake.jump(intake.campaign.window.paper_until + INSTANT)
    assert (await intake.post(intake.body(), channel=channel, staff=intake.staff)).status_code == 403


@pytest.mark.parametrize("changed", [{"Cookie": ""}, {"Cookie": "kuji-session=guess"}])
async def test_paper_is_keyed_by_staff_who_signed_in(intake: Intake, changed: dict[str, str]):
    answer = await intake.post(intake.body(), channel="fax", staff={**intake.staff, **changed})
    assert answer.status_code == 401


async def test_an_unknown_campaign_is_404(intake: Intake):
    for path in ("applications", "sealing-key", ""):
        method = "POST" if path == "applications" else "GET"
        answer = await intake.http.request(method, f"/v1/campaigns/never-held/{path}".rstrip("/"))
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:kuji:problem:campaign-unknown")


async def test_an_unpublished_key_is_refused_with_the_id_of_the_current_key(intake: Intake):
    answer = await intake.post(intake.body(key_id="k0"))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:kuji:problem:key-expired")
    assert answer.json()["key_id"] == "k1"


async def test_the_key_document_is_served_as_it_was_signed(intake: Intake):
    answer = await intake.http.get(f"/v1/campaigns/{CAMPAIGN}/sealing-key")
    assert answer.json() | {"signature": ""} == intake.vault.document() | {"signature": ""}
    client = ApplicantClient(intake.url, CAMPAIGN, trusted=intake.vault.signing.public)
    async with client:
        assert (await client.key()).key_id == "k1"


async def test_after_a_rotation_the_longer_lasting_key_is_served_and_the_old_one_works_until_it_ends(intake: Intake):
    await intake.vault.publish_key("k0", "2018-05-20T00:00:00+09:00")
    await intake.vault.publish_key("k2", "2018-06-05T00:00:00+09:00")
    await until(lambda: intake.has_key("k2"))
    assert (await intake.post(intake.body(key_id="k1"))).status_code == 202
    assert (await intake.post(intake.body(key_id="k0"))).status_code == 202
    intake.jump(intake.campaign.window.opens + timedelta(days=6))
    answer = await intake.post(intake.body(key_id="k0"))
    assert (answer.status_code, answer.json()["key_id"]) == (409, "k2")


async def test_the_public_part_of_the_campaign_is_served(intake: Intake):
    shown = (await intake.http.get(f"/v1/campaigns/{CAMPAIGN}")).json()
    assert shown["purpose_version"] == intake.campaign.purpose.version
    assert len(shown["classes"]) == 7


async def test_a_receipt_number_in_any_spelling_leads_to_the_status(intake: Intake):
    receipt = (await intake.post(intake.body())).json()["receipt"]
    spoken = receipt.lower().replace("-", "")
    path = f"/v1/campaigns/{CAMPAIGN}/receipts/{spoken}"
    assert (await intake.http.get(path)).json() == {"v": 1, "receipt": receipt, "status": "received", "reasons": []}
    wrong = await intake.http.get(f"{path}0")
    assert (wrong.status_code, wrong.json()["type"]) == (404, "urn:kuji:problem:receipt-unknown")


async def test_a_postal_code_has_its_towns(intake: Intake):
    kabukicho = (await intake.http.get("/v1/postal-codes/1600021")).json()
    assert kabukicho["places"] == [{"prefecture": "東京都", "municipality": "新宿区", "town": "歌舞伎町"}]
    several = (await intake.http.get("/v1/postal-codes/4980000")).json()["places"]
    assert [each["prefecture"] for each in several] == ["愛知県", "三重県"]
    office = (await intake.http.get("/v1/postal-codes/1608484")).json()["places"]
    assert office[0]["municipality"] == "新宿区"


@pytest.mark.parametrize(
    ("code", "status", "name"), [("9999999", 404, "postal-code-unknown"), ("16000", 422, "invalid")]
)
async def test_an_unknown_or_malformed_postal_code_is_refused(intake: Intake, code: str, status: int, name: str):
    answer = await intake.http.get(f"/v1/postal-codes/{code}")
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:kuji:problem:{name}")


async def test_the_people_of_the_demo_apply_as_outside_clients(intake: Intake):
    people = population(intake.campaign, seed=3, size=60)
    trusted = intake.vault.signing.public
    async with ApplicantClient(intake.url, CAMPAIGN, trusted=trusted, staff=intake.staff) as client:
        taken = await client.submit(people)
        assert {each.application_id for each in taken} == {each.application_id for each in people}
        assert (await client.status(people[0].application_id) or {})["status"] == "received"
        assert await client.status(ApplicationId("7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21")) is None
    await intake.vault.fetch()
    opened = {
        event.application_id: intake.vault.open(event)
        for _, event in intake.vault.received
        if "malformed" not in next(p for p in people if p.application_id == event.application_id).expected.reasons
    }
    sent = {p.application_id: json.loads(p.plaintext) for p in people if p.application_id in opened}
    assert opened == sent
    assert len(intake.vault.received) == 60


async def test_no_body_and_no_sealed_byte_reaches_the_database_or_the_log(
    intake: Intake, capfd: pytest.CaptureFixture[str]
):
    body = intake.body()
    await intake.post(body)
    await intake.post({**body, "sealed": body["sealed"] + "!", "name": "山田太郎"})
    lines = [line async for line in intake.store.db["applications"].find({})]
    kept = json.dumps(lines, default=str) + json.dumps(
        [line async for line in intake.store.db["outbox"].find({})], default=str
    )
    output = "".join(capfd.readouterr())
    assert body["sealed"][:40] not in kept + output
    assert "山田" not in kept + output
