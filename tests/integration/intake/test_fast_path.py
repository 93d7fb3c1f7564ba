"""The fast path and the framework's route (a query leads there) give the same answers."""

import pytest

from services.intake.rules.submission import BODY_LIMIT
from shared.contracts import ApplicationReceived
from shared.ids import derived_event_id, new_application_id
from tests.integration.intake.conftest import Intake
from tests.support.vault_messages import CAMPAIGN
from tests.support.waiting import await_all

APPLICATIONS = f"/v1/campaigns/{CAMPAIGN}/applications"
REFUSED = {
    "no campaign": ("/v1/campaigns/none/applications", b"{}", 404),
    "nothing at all": (APPLICATIONS, b"", 422),
    "no JSON": (APPLICATIONS, b"{", 422),
    "an unknown member": (APPLICATIONS, b'{"v":1,"name":"nobody"}', 422),
    "too much": (APPLICATIONS, b"x" * (BODY_LIMIT + 1), 413),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_the_fast_path_and_the_route_give_the_same_refusals(intake: Intake, kind: str):
    path, body, status = REFUSED[kind]
    fast, route = [await intake.http.post(path + query, content=body) for query in ("", "?route=1")]
    assert (fast.status_code, fast.content) == (status, route.content)
    assert dict(fast.headers) == dict(route.headers)


async def test_the_fast_path_and_the_route_give_one_receipt(intake: Intake):
    body = intake.body()
    fast, route = await intake.post(body), await intake.http.post(f"{APPLICATIONS}?route=1", json=body)
    assert (fast.status_code, fast.content) == (202, route.content)
    assert dict(fast.headers) == dict(route.headers)


async def test_other_methods_and_addresses_pass_the_fast_path(intake: Intake):
    assert (await intake.http.get(APPLICATIONS)).status_code == 405
    assert (await intake.http.post(f"{APPLICATIONS}/more")).status_code == 404


async def test_applications_that_arrive_at_once_get_a_receipt_and_an_event_each(intake: Intake):
    ids = [new_application_id() for _ in range(70)]
    answers = await await_all(*(intake.post(intake.body(each)) for each in ids))
    assert {answer.status_code for answer in answers} == {202}
    await intake.vault.fetch()
    events = dict(intake.vault.received)
    assert set(events) == {derived_event_id(ApplicationReceived.name, each, "1") for each in ids}
    receipts = {event.application_id: event.receipt for event in events.values()}
    assert receipts == {each: answer.json()["receipt"] for each, answer in zip(ids, answers, strict=True)}
