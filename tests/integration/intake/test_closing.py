"""The list of receipts is published once and complete, with any number of instances; then comes the erasure."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.intake.applications.repository import SubmissionRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.rules.states import Stage
from services.intake.settings import IntakeSettings
from shared.contracts import ErasureCompleted, ErasureRequested, ReceiptsClosed
from shared.ids import ApplicationId
from tests.integration.intake.conftest import Intake, serving
from tests.support.vault_messages import CAMPAIGN, accepted
from tests.support.waiting import await_all, until


async def published_receipts(intake: Intake) -> list[ReceiptsClosed]:
    """Return all parts, as the lottery consumes them."""
    bodies = [body for _, body in await intake.vault.fetch_until(1, "lottery", ReceiptsClosed.name)]
    parts = [ReceiptsClosed.model_validate_json(body) for body in bodies]
    while len(parts) < parts[0].parts:
        bodies = [body for _, body in await intake.vault.fetch_until(1, "lottery", ReceiptsClosed.name)]
        parts += [ReceiptsClosed.model_validate_json(body) for body in bodies]
    return sorted(parts, key=lambda part: part.part)


def close(intake: Intake) -> None:
    intake.jump(intake.campaign.window.paper_until + timedelta(seconds=1))


async def nothing_more(intake: Intake) -> bool:
    await asyncio.sleep(1)
    return not await intake.vault.fetch("lottery", ReceiptsClosed.name)


async def test_a_campaign_stays_open_while_paper_may_still_arrive(intake: Intake):
    intake.jump(intake.campaign.window.paper_until - timedelta(minutes=5))
    assert await nothing_more(intake)
    assert (await intake.summary())["stage"] == "open"


async def test_the_list_has_every_application_with_a_receipt_and_no_other(intake: Intake):
    web = [intake.body() for _ in range(5)]
    for body in web:
        assert (await intake.post(body)).status_code == 202
    fax = intake.body()
    assert (await intake.post(fax, channel="fax", staff=intake.staff)).status_code == 202
    intake.broker.cut()
    unlucky = intake.body()
    assert (await intake.post(unlucky)).status_code == 503
    intake.broker.restore()
    await _age(intake, unlucky["application_id"])
    close(intake)
    [part] = await published_receipts(intake)
    assert set(part.application_ids) == {each["application_id"] for each in [*web, fax]}
    assert (part.part, part.parts, part.total) == (1, 1, 6)
    assert await nothing_more(intake)
    assert (await intake.post(unlucky)).status_code == 403
    assert (await intake.status(unlucky["application_id"])).status_code == 404


async def _age(intake: Intake, application_id: str) -> None:
    """Make a pending record old enough to be given up."""
    line = await intake.store.db["applications"].find_one({"_id": application_id})
    assert line is not None
    older = line["pending_since"] - timedelta(minutes=5)
    await intake.store.db["applications"].update_one({"_id": application_id}, {"$set": {"pending_since": older}})


async def test_a_campaign_without_applications_closes_with_an_empty_list(intake: Intake):
    close(intake)
    [part] = await published_receipts(intake)
    assert (part.part, part.parts, part.total, part.application_ids) == (1, 1, 0, ())


async def test_an_application_under_way_is_waited_for(intake: Intake):
    intake.broker.cut()
    body = intake.body()
    assert (await intake.post(body)).status_code == 503
    close(intake)
    await until(lambda: _stage_is(intake, "closing"))
    intake.broker.restore()
    await intake.vault.decide(accepted(body["application_id"]))
    [part] = await published_receipts(intake)
    assert part.application_ids == (body["application_id"],)


async def test_several_instances_publish_the_list_once_and_in_parts(intake: Intake, settings: IntakeSettings):
    lines = [_received_line(number) for number in range(2500)]
    await intake.store.db["applications"].insert_many(lines)
    async with serving(settings), serving(settings):
        close(intake)
        parts = await published_receipts(intake)
        assert [part.part for part in parts] == [1, 2, 3]
        assert {part.total for part in parts} == {2500}
        listed = [each for part in parts for each in part.application_ids]
        assert listed == sorted(line["_id"] for line in lines)
        assert await nothing_more(intake)


def _received_line(number: int) -> dict[str, Any]:
    return {
        "_id": f"{number:08x}-0000-4000-8000-000000000000",
        "campaign": CAMPAIGN,
        "channel": "web",
        "fingerprint": "0" * 64,
        "receipt": f"W-{number}",
        "status": "received",
        "reasons": [],
        "revision": 0,
        "recorded_at": datetime(2018, 5, 16, tzinfo=UTC),
    }


async def test_requests_during_the_closing_are_on_the_list_exactly_when_they_got_a_receipt(intake: Intake):
    """Key paper while the deadline passes: an answer and the list never contradict each other."""
    intake.jump(intake.campaign.window.paper_until - timedelta(seconds=1))
    bodies = [intake.body() for _ in range(150)]
    gate = asyncio.Semaphore(8)

    async def key_in(body: dict[str, Any]) -> tuple[str, int]:
        async with gate:
            await asyncio.sleep(0.05)
            answer = await intake.post(body, channel="post", staff=intake.staff)
            return body["application_id"], answer.status_code

    answers = await await_all(*map(key_in, bodies))
    [part] = await published_receipts(intake)
    assert {status for _, status in answers} <= {202, 403}
    assert {each for each, status in answers if status == 202} == set(part.application_ids)


async def test_a_confirmation_after_the_closing_gives_no_receipt(intake: Intake):
    """Confirm an application that was stored and published before the campaign closed."""
    submissions, stages = SubmissionRepository(intake.store), CampaignStageRepository(intake.store)
    intake.broker.cut()
    body = intake.body()
    assert (await intake.post(body)).status_code == 503
    await stages.advance(CAMPAIGN, Stage.CLOSING)
    await submissions.give_up_pending(CAMPAIGN)
    assert not await submissions.confirm(ApplicationId(body["application_id"]))


async def test_erasure_deletes_everything_and_publishes_the_counts(intake: Intake):
    bodies = [intake.body() for _ in range(4)]
    for body in bodies:
        await intake.post(body)
    await intake.vault.decide(*(accepted(body["application_id"]) for body in bodies))
    await until(lambda: _all_accepted(intake, 4))
    close(intake)
    await published_receipts(intake)
    await intake.vault.publish(ErasureRequested(campaign=CAMPAIGN, erasure_id="erasure-1"))
    [(_, body)] = await intake.vault.fetch_until(1, "vault", ErasureCompleted.name)
    done = ErasureCompleted.model_validate_json(body)
    assert (done.service, done.erasure_id) == ("intake", "erasure-1")
    stores = {each.store: each for each in done.stores}
    assert (stores["applications"].before, stores["applications"].after) == (4, 0)
    assert stores["sealing_keys"].before == 1
    assert {each.result for each in done.stores} == {"PASS"}
    assert (await intake.status(bodies[0]["application_id"])).status_code == 404
    left = [line async for line in intake.store.db["applications"].find({})]
    assert not left
    for name in await intake.store.db.list_collection_names():
        text = json.dumps([line async for line in intake.store.db[name].find({})], default=str)
        assert bodies[0]["application_id"] not in text


async def test_an_erasure_that_is_asked_for_again_is_answered_with_the_same_bytes(intake: Intake):
    answers = []
    for _ in range(2):
        await intake.vault.publish(ErasureRequested(campaign=CAMPAIGN, erasure_id="erasure-1"))
        [(_, answer)] = await intake.vault.fetch_until(1, "vault", ErasureCompleted.name)
        answers.append(answer)
    assert answers[0] == answers[1]


async def _stage_is(intake: Intake, stage: str) -> bool:
    return bool((await intake.summary())["stage"] == stage)


async def _all_accepted(intake: Intake, count: int) -> bool:
    return bool((await intake.summary())["by_channel"] == {"web": {"accepted": count}})
