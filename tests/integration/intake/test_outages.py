"""Broker or database away: 503, nothing half accepted, and the same request carries on afterwards."""

import asyncio
from datetime import timedelta

from deploy.demo.client import ApplicantClient
from deploy.demo.people import population
from shared.contracts import ApplicationReceived
from shared.ids import derived_event_id, new_application_id
from tests.integration.intake.conftest import Intake
from tests.support.vault_messages import CAMPAIGN, decide
from tests.support.waiting import until


async def refused(intake: Intake, body: dict[str, object]) -> None:
    answer = await intake.post(body)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["type"] == "urn:kuji:problem:unavailable"


async def test_with_the_broker_away_nothing_is_accepted_and_later_the_same_request_is(intake: Intake):
    body = intake.body()
    intake.broker.cut()
    await refused(intake, body)
    await refused(intake, body)
    assert (await intake.status(str(body["application_id"]))).status_code == 404
    assert (await intake.summary())["received"] == 0
    intake.broker.restore()
    answer = await intake.post(body)
    assert answer.status_code == 202
    await intake.vault.fetch()
    [(event_id, event)] = intake.vault.received
    assert event.receipt == answer.json()["receipt"]
    assert event_id == derived_event_id(ApplicationReceived.name, event.application_id, "1")


async def test_with_a_silent_broker_the_answer_comes_in_bounded_time(intake: Intake):
    body = intake.body()
    assert (await intake.post(intake.body())).status_code == 202
    intake.broker.silence()
    async with asyncio.timeout(30):
        await refused(intake, body)
    intake.broker.cut()
    intake.broker.restore()
    assert (await intake.post(body)).status_code == 202
    await intake.vault.fetch()
    ids = [event.application_id for _, event in intake.vault.received]
    assert ids.count(str(body["application_id"])) >= 1


async def test_with_the_database_away_nothing_is_accepted_and_later_the_same_request_is(intake: Intake):
    body = intake.body()
    intake.database.cut()
    await refused(intake, body)
    assert (await intake.status(str(body["application_id"]))).status_code == 503
    await intake.vault.fetch()
    assert not intake.vault.received
    intake.database.restore()
    assert (await intake.post(body)).status_code == 202


async def test_another_body_does_not_take_the_place_of_one_that_is_pending(intake: Intake):
    application_id = new_application_id()
    body = intake.body(application_id)
    intake.broker.cut()
    await refused(intake, body)
    intake.broker.restore()
    assert (await intake.post(intake.body(application_id))).status_code == 409
    assert (await intake.post(body)).status_code == 202


async def test_who_came_in_time_and_got_503_may_complete_after_the_window(intake: Intake):
    body = intake.body()
    intake.broker.cut()
    await refused(intake, body)
    intake.broker.restore()
    intake.jump(intake.campaign.window.closes + timedelta(minutes=1))
    assert (await intake.post(body)).status_code == 202
    await intake.vault.fetch()
    [(_, event)] = intake.vault.received
    assert event.received_at < intake.campaign.window.closes
    assert (await intake.post(intake.body())).status_code == 403


async def test_a_verdict_proves_that_the_vault_has_it_even_where_the_receipt_was_never_given(intake: Intake):
    body = intake.body()
    intake.broker.cut()
    await refused(intake, body)
    intake.broker.restore()
    await intake.vault.decide(decide(body["application_id"]))
    await until(lambda: _has_status(intake, str(body["application_id"]), "complete"))
    assert (await intake.post(body)).status_code == 202


async def test_an_outside_client_keeps_at_it_until_the_broker_is_back(intake: Intake):
    people = [person for person in population(intake.campaign, seed=4, size=12) if person.channel == "web"]
    intake.broker.cut()
    async with ApplicantClient(intake.url, CAMPAIGN, trusted=intake.vault.signing.public) as client:
        submitting = asyncio.create_task(client.submit(people))
        await asyncio.sleep(1)
        intake.broker.restore()
        assert len(await submitting) == len(people)
    await intake.vault.fetch()
    assert {event.application_id for _, event in intake.vault.received} == {each.application_id for each in people}


async def test_readiness_says_which_part_is_away(intake: Intake):
    await until(lambda: _ready(intake, broker=True, store=True))
    intake.broker.cut()
    await until(lambda: _ready(intake, broker=False, store=True))
    intake.broker.restore()
    await until(lambda: _ready(intake, broker=True, store=True))
    intake.database.cut()
    await until(lambda: _ready(intake, store=False))


async def _ready(intake: Intake, **expected: bool) -> bool:
    answer = await intake.http.get("/health/ready")
    return bool(answer.json()["checks"].items() >= expected.items())


async def _has_status(intake: Intake, application_id: str, status: str) -> bool:
    answer = await intake.status(application_id)
    return answer.status_code == 200 and answer.json()["status"] == status
