"""Decisions of the vault at the status address: the higher revision holds, in any order of arrival."""

import asyncio

import pytest

from shared.ids import ApplicationId, new_application_id
from tests.integration.intake.conftest import Intake
from tests.support.vault_messages import CAMPAIGN, decide
from tests.support.waiting import until


async def taken(intake: Intake) -> ApplicationId:
    body = intake.body()
    assert (await intake.post(body)).status_code == 202
    return ApplicationId(body["application_id"])


async def shows(intake: Intake, application_id: ApplicationId, status: str, *reasons: str) -> None:
    async def agrees() -> bool:
        answer = (await intake.status(application_id)).json()
        return bool(answer["status"] == status and answer["reasons"] == list(reasons))

    await until(agrees)


async def test_a_verdict_shows_at_the_status_address_as_codes(intake: Intake):
    application_id = await taken(intake)
    await intake.vault.decide(decide(application_id, "rejected", "not-resident", "age"))
    await shows(intake, application_id, "rejected", "not-resident", "age")


async def test_an_application_under_review_shows_the_later_decision(intake: Intake):
    application_id = await taken(intake)
    await intake.vault.decide(decide(application_id, "under-review"))
    await shows(intake, application_id, "under-review")
    await intake.vault.decide(decide(application_id, revision=2))
    await shows(intake, application_id, "complete")


async def test_an_older_verdict_that_comes_late_changes_nothing(intake: Intake):
    application_id, other = await taken(intake), await taken(intake)
    await intake.vault.decide(decide(application_id, revision=3))
    await shows(intake, application_id, "complete")
    await intake.vault.decide(decide(application_id, "rejected", "age", revision=2), decide(other))
    await shows(intake, other, "complete")
    await shows(intake, application_id, "complete")


async def test_two_verdicts_in_one_message_leave_the_higher_revision(intake: Intake):
    application_id = await taken(intake)
    await intake.vault.decide(decide(application_id, revision=2), decide(application_id, "rejected", "age"))
    await shows(intake, application_id, "complete")


async def test_a_verdict_on_an_unknown_application_is_not_stored(intake: Intake):
    application_id, stranger = await taken(intake), new_application_id()
    await intake.vault.decide(decide(stranger), decide(application_id))
    await shows(intake, application_id, "complete")
    assert (await intake.status(stranger)).status_code == 404
    assert await intake.store.db["applications"].count_documents({}) == 1


async def test_after_the_verdict_the_same_application_still_gets_the_same_answer(intake: Intake):
    body = intake.body()
    first = await intake.post(body)
    await intake.vault.decide(decide(body["application_id"]))
    await shows(intake, body["application_id"], "complete")
    assert (await intake.post(body)).json() == first.json()


async def test_the_summary_counts_by_channel_and_status(intake: Intake):
    ids = [await taken(intake) for _ in range(3)]
    await intake.vault.decide(decide(ids[0]))
    await shows(intake, ids[0], "complete")
    summary = await intake.summary()
    assert summary["by_channel"] == {"web": {"complete": 1, "received": 2}}
    assert (summary["received"], summary["stage"], summary["key_id"]) == (3, "open", "k1")
    assert (await intake.http.get(f"/v1/campaigns/{CAMPAIGN}/summary")).status_code == 401


async def test_a_key_document_of_another_campaign_is_parked_and_not_served(intake: Intake):
    await intake.vault.publish_key("k9", "never")
    await asyncio.sleep(0.5)
    assert not await intake.has_key("k9")
    parked = await intake.vault.fetch_until(1, "intake", "parked")
    assert len(parked) == 1


@pytest.mark.parametrize("status", ["complete", "under-review"])
async def test_a_verdict_that_overtakes_the_mark_does_not_turn_the_answer_into_a_refusal(intake: Intake, status: str):
    """Decide before intake has marked the record as received: the confirmation then finds it decided."""
    body = intake.body()
    posting = asyncio.create_task(intake.post(body))
    while not posting.done():
        await intake.vault.decide(decide(body["application_id"], status))  # type: ignore[arg-type]
    assert (await posting).status_code == 202
