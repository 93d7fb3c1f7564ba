"""Papers are accepted as `docs/protocols.md` §1 says, over a real socket, broker and database."""

import asyncio
import os
import secrets
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.rules.paper_submission import PAPER_BODY_LIMIT
from shared import receipts
from shared.contracts import (
    SEALED_PAPER_BYTES,
    ErasureCompleted,
    ErasureRequested,
    KeyedApplication,
    PaperReceived,
    PaperSettled,
    ReceiptsAssigned,
    ReceiptsClosed,
)
from shared.encoding import b64url, unb64url
from shared.ids import ApplicationId, PaperId, derived_event_id, new_application_id
from shared.receipt_documents import is_receipt_of, roll_line, sealed_hash
from tests.integration.intake.conftest import PAPER_TOKEN, Intake
from tests.support.service_keys import service_key
from tests.support.vault_messages import CAMPAIGN, proof_digest_of
from tests.support.waiting import await_all, until

FAX = os.urandom(300)
MISTAKES: list[dict[str, str]] = [
    {"serial": "山田"},
    {"serial": "A" * 33},
    {"channel": "web"},
    {"received_at": "2018-05-16T09:12:00"},
    {"sealed": b64url(bytes(1136))},
    {"sealed": b64url(bytes(SEALED_PAPER_BYTES + 1))},
    {"sender": "0312345678"},
]


def paper(intake: Intake, **changes: Any) -> dict[str, Any]:
    paper_id = PaperId(new_application_id())
    return {
        "v": 1,
        "paper_id": paper_id,
        "key_id": "k1",
        "channel": "fax",
        "serial": f"F-{secrets.token_hex(4)}",
        "received_at": "2018-05-16T09:12:00+09:00",
        "sealed": intake.vault.key().seal_paper(paper_id, FAX),
    } | changes


async def post(intake: Intake, body: object, token: str | None = PAPER_TOKEN) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await intake.http.post(f"/v1/campaigns/{CAMPAIGN}/papers", json=body, headers=headers)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:kuji:problem:")


async def fetched(intake: Intake) -> list[tuple[str, PaperReceived]]:
    return [
        (key, PaperReceived.model_validate_json(body))
        for key, body in await intake.vault.fetch("vault", PaperReceived.name)
    ]


@pytest.mark.parametrize(("channel", "letter"), [("fax", "F"), ("post", "P")])
async def test_a_paper_gets_a_receipt_of_its_channel_once_the_vault_will_get_it(
    intake: Intake, channel: str, letter: str
):
    body = paper(intake, channel=channel)
    answer = await post(intake, body)
    assert answer.status_code == 202
    assert receipts.normalise_receipt(answer.json()["receipt"]).startswith(f"{letter}-")
    [(event_id, event)] = await fetched(intake)
    assert event_id == derived_event_id("paper.received", body["paper_id"])
    assert (event.receipt, event.serial, event.sealed) == (answer.json()["receipt"], body["serial"], body["sealed"])
    summary = await intake.summary()
    assert (summary["papers"], summary["papers_unkeyed"]) == ({"received": 1}, 1)
    assert FAX not in repr(await intake.store.db["papers"].find().to_list(None)).encode()
    assert body["sealed"] not in repr(await intake.store.db["papers"].find().to_list(None))


async def test_each_application_of_a_keyed_paper_gets_a_receipt_and_the_first_keeps_the_papers(intake: Intake):
    body, applications = paper(intake), [new_application_id() for _ in range(3)]
    document = (await post(intake, body)).json()
    assert is_receipt_of(service_key("intake").public, document)
    assert (document["application_id"], document["version"]) == (body["paper_id"], 1)
    assert document["sealed_sha256"] == sealed_hash(unb64url(body["sealed"]))
    await settle(intake, body, "keyed", *applications)
    [(_, answer)] = await intake.vault.fetch_until(1, "vault", ReceiptsAssigned.name)
    assigned = ReceiptsAssigned.model_validate_json(answer)
    assert (assigned.paper_id, [each.application_id for each in assigned.items]) == (body["paper_id"], applications)
    assert assigned.items[0].receipt == document["receipt"]
    assert len({each.receipt for each in assigned.items}) == 3
    for each in assigned.items:
        status = (await intake.status(each.application_id)).json()
        assert (status["receipt"], status["status"], status["next_version"]) == (each.receipt, "received", 2)
    corrected = (await intake.correct(applications[0], intake.correction(applications[0]))).json()
    assert (corrected["receipt"], corrected["version"]) == (document["receipt"], 2)


async def test_a_paper_that_is_settled_twice_has_its_applications_once(intake: Intake):
    body, application_id = paper(intake), new_application_id()
    assert (await post(intake, body)).status_code == 202
    await settle(intake, body, "keyed", application_id)
    await settle(intake, body, "keyed", new_application_id())
    other = paper(intake)
    assert (await post(intake, other)).status_code == 202
    await settle(intake, other, "discarded")
    assert (await intake.summary())["by_channel"] == {"fax": {"received": 1}}


async def test_the_same_paper_again_gets_the_same_answer_and_another_body_is_a_conflict(intake: Intake):
    body = paper(intake)
    first = await post(intake, body)
    again = await await_all(*(post(intake, body) for _ in range(5)))
    assert {(each.status_code, each.text) for each in again} == {(202, first.text)}
    same_moment = await post(intake, body | {"received_at": "2018-05-16T00:12:00Z"})
    assert same_moment.status_code == 202
    for change in ({"serial": "other"}, {"channel": "post"}, {"received_at": "2018-05-16T09:13:00+09:00"}):
        assert problem(await post(intake, body | change)) == (409, "conflict")


async def test_a_serial_number_stands_on_one_paper_of_the_campaign_only(intake: Intake):
    body = paper(intake)
    assert (await post(intake, body)).status_code == 202
    assert problem(await post(intake, paper(intake, serial=body["serial"]))) == (409, "serial-taken")


async def test_only_the_paper_token_is_accepted(intake: Intake):
    for token in (None, "wrong"):
        assert problem(await post(intake, paper(intake), token)) == (401, "unauthorized")


async def test_outside_the_window_and_with_an_old_key_a_paper_is_refused(intake: Intake):
    assert problem(await post(intake, paper(intake, key_id="k0"))) == (409, "key-expired")
    in_time = paper(intake)
    assert (await post(intake, in_time)).status_code == 202
    intake.jump(intake.campaign.window.opens - timedelta(seconds=1))
    assert problem(await post(intake, paper(intake))) == (403, "not-open")
    intake.jump(intake.campaign.window.closes + timedelta(seconds=1))
    assert (await post(intake, paper(intake))).status_code == 202
    intake.jump(intake.campaign.window.paper_until)
    assert problem(await post(intake, paper(intake))) == (403, "closed")
    assert (await post(intake, in_time)).status_code == 202


async def test_what_is_not_of_the_documented_shape_is_refused_without_repeating_it(intake: Intake):
    for change in MISTAKES:
        answer = await post(intake, paper(intake, **change))
        assert problem(answer) == (422, "invalid"), change.keys()
        assert next(iter(change.values())) not in answer.text


async def test_eight_mebibytes_go_through_and_more_than_the_body_may_hold_does_not(intake: Intake):
    largest = paper(intake, sealed=b64url(os.urandom(SEALED_PAPER_BYTES)))
    assert (await post(intake, largest)).status_code == 202
    [(_, event)] = await fetched(intake)
    assert event.sealed == largest["sealed"]
    answer = await post(intake, paper(intake, sealed="A" * PAPER_BODY_LIMIT))
    assert problem(answer) == (413, "too-large")
    assert answer.json()["limit"] == PAPER_BODY_LIMIT


async def test_with_the_broker_away_nothing_is_accepted_and_later_the_same_paper_is(intake: Intake):
    body = paper(intake)
    intake.broker.cut()
    answer = await post(intake, body)
    assert problem(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await intake.summary())["papers_unkeyed"] == 0
    intake.broker.restore()
    assert (await post(intake, body)).status_code == 202
    assert [event.serial for _, event in await fetched(intake)] == [body["serial"]]


async def test_the_list_waits_until_every_paper_is_keyed_or_discarded(intake: Intake):
    bodies = [paper(intake), paper(intake, channel="post")]
    documents = [(await post(intake, body)).json() for body in bodies]
    intake.jump(intake.campaign.window.paper_until + timedelta(seconds=1))
    await asyncio.sleep(1)
    assert not await intake.vault.fetch("lottery", ReceiptsClosed.name)
    application_id = new_application_id()
    await settle(intake, bodies[0], "keyed", application_id)
    await asyncio.sleep(0.5)
    assert not await intake.vault.fetch("lottery", ReceiptsClosed.name)
    await settle(intake, bodies[1], "discarded")
    [(_, closed)] = await intake.vault.fetch_until(1, "lottery", ReceiptsClosed.name)
    lines = {each.receipt: each.line for each in ReceiptsClosed.model_validate_json(closed).items}
    assert set(lines) == {document["receipt"] for document in documents}
    assert lines[documents[0]["receipt"]] != roll_line(documents[0])
    assert lines[documents[1]["receipt"]] == roll_line(documents[1])
    assert (await intake.summary())["papers"] == {"keyed": 1, "discarded": 1}


async def test_the_erasure_deletes_papers_too(intake: Intake):
    assert (await post(intake, paper(intake))).status_code == 202
    await intake.vault.publish(ErasureRequested(campaign=CAMPAIGN, erasure_id="e-1"))
    [(_, body)] = await intake.vault.fetch_until(1, "vault", ErasureCompleted.name)
    rows = {row.store: row for row in ErasureCompleted.model_validate_json(body).stores}
    assert (rows["papers"].before, rows["papers"].after, rows["papers"].result) == (1, 0, "PASS")


async def settle(intake: Intake, body: dict[str, Any], state: str, *applications: ApplicationId) -> None:
    """Say what the vault made of a paper, and wait until intake has it."""
    keyed = [KeyedApplication(application_id=each, proof_sha256=proof_digest_of(each)) for each in applications]
    event = {"campaign": CAMPAIGN, "paper_id": body["paper_id"], "state": state, "applications": keyed}
    await intake.vault.publish(PaperSettled.model_validate(event))

    async def is_settled() -> bool:
        return state in (await intake.summary())["papers"]

    await until(is_settled)
