"""Corrections and withdrawals, as `docs/protocols.md` §1 has them: who may send them, and which one stands."""

from datetime import timedelta

import httpx

from services.intake.applications.versions import MOST_VERSIONS
from shared.contracts import DrawPublished
from shared.encoding import unb64url
from shared.ids import ApplicationId, DrawId, new_application_id
from shared.receipt_documents import is_receipt_of, sealed_hash
from shared.web.wrong_proofs import MOST_WRONG
from tests.integration.intake.conftest import Intake
from tests.support.service_keys import service_key
from tests.support.vault_messages import CAMPAIGN, decide, proof_of
from tests.support.waiting import await_all, until


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:kuji:problem:")


async def test_a_correction_gets_a_receipt_document_and_reaches_the_vault_as_the_next_version(intake: Intake):
    application_id, first = await intake.apply()
    body = intake.correction(application_id)
    answer = await intake.correct(application_id, body)
    document = answer.json()
    assert (answer.status_code, document["version"], document["receipt"]) == (202, 2, first["receipt"])
    [key] = (await intake.http.get("/v1/receipt-keys")).json()["keys"]
    assert (key["public_key"], key["state"]) == (service_key("intake").public, "active")
    assert is_receipt_of(key["public_key"], document)
    assert document["sealed_sha256"] == sealed_hash(unb64url(body["sealed"]))
    await intake.vault.fetch_until(2, "vault", "application.received")
    events = {event.version: event for _, event in intake.vault.received}
    assert set(events) == {1, 2}
    assert intake.vault.open(events[2]) == {"v": 2, "corrected": True}
    status = (await intake.status(application_id)).json()
    assert (status["status"], status["next_version"]) == ("received", 3)


async def test_the_same_correction_again_gets_the_same_answer_and_is_one_version(intake: Intake):
    application_id, _ = await intake.apply()
    body = intake.correction(application_id)
    answers = await await_all(*(intake.correct(application_id, body) for _ in range(6)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    later = await intake.correct(application_id, intake.correction(application_id, 3))
    assert later.json()["version"] == 3
    assert (await intake.correct(application_id, body)).content == answers[0].content
    assert (await intake.status(application_id)).json()["next_version"] == 4


async def test_of_corrections_at_once_or_for_a_version_that_is_taken_one_is_accepted(intake: Intake):
    application_id, _ = await intake.apply()
    bodies = [intake.correction(application_id) for _ in range(6)]
    answers = await await_all(*(intake.correct(application_id, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 5
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert (problem(refused), refused.json()["next_version"]) == ((409, "version-taken"), 3)
    for version in (2, 4):
        stale = await intake.correct(application_id, intake.correction(application_id, version=version))
        assert (problem(stale), stale.json()["next_version"]) == ((409, "version-taken"), 3)
    assert (await intake.correct(application_id, intake.correction(application_id, 3, version=3))).status_code == 202


async def test_a_wrong_proof_and_an_unknown_application_get_the_same_answer(intake: Intake):
    application_id, _ = await intake.apply()
    pending = intake.body()
    intake.broker.cut()
    assert (await intake.post(pending)).status_code == 503
    intake.broker.restore()
    wrong = intake.correction(application_id, proof=proof_of(new_application_id()))
    unknown, without_receipt = new_application_id(), ApplicationId(pending["application_id"])
    answers = [
        await intake.correct(application_id, wrong),
        await intake.correct(unknown, intake.correction(unknown)),
        await intake.correct(without_receipt, intake.correction(without_receipt)),
        await intake.correct("no-id", wrong),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(403, answers[0].content)}
    assert problem(answers[0]) == (403, "not-yours")
    assert {_told_by_headers(answer) for answer in answers} == {_told_by_headers(answers[0])}
    assert (await intake.status(application_id)).json()["next_version"] == 2


async def test_a_strangers_wrong_proofs_do_not_lock_the_applicant_out(intake: Intake):
    """Send more wrong proofs than an address may, from the address that the applicant shares."""
    application_id, _ = await intake.apply()
    wrong = intake.correction(application_id, proof=proof_of(new_application_id()))
    answers = [await intake.correct(application_id, wrong) for _ in range(MOST_WRONG + 1)]
    assert [answer.status_code for answer in answers] == [403] * MOST_WRONG + [429]
    assert (await intake.correct(application_id, intake.correction(application_id))).status_code == 202


async def test_an_application_takes_twenty_versions(intake: Intake):
    application_id, _ = await intake.apply()
    for version in range(2, MOST_VERSIONS + 2):
        assert (await intake.correct(application_id, intake.correction(application_id, version))).status_code == 202
    last = MOST_VERSIONS + 2
    assert problem(await intake.correct(application_id, intake.correction(application_id, last))) == (
        403,
        "too-many-versions",
    )


async def test_with_an_old_key_or_after_the_window_only_what_was_accepted_before_is_answered(intake: Intake):
    application_id, _ = await intake.apply()
    body = intake.correction(application_id)
    accepted = await intake.correct(application_id, body)
    old_key = await intake.correct(application_id, intake.correction(application_id, 3, key_id="k0"))
    assert (problem(old_key), old_key.json()["key_id"]) == ((409, "key-expired"), "k1")
    intake.jump(intake.campaign.window.closes + timedelta(seconds=1))
    refused = await intake.correct(application_id, intake.correction(application_id, 3))
    assert (problem(refused), refused.json()["closed"]) == (
        (403, "closed"),
        intake.campaign.window.closes.isoformat(),
    )
    assert (await intake.correct(application_id, body)).content == accepted.content
    stranger = intake.correction(application_id, proof=proof_of(new_application_id()))
    assert problem(await intake.correct(application_id, stranger)) == (403, "not-yours")


async def test_a_correction_reaches_the_vault_after_the_broker_was_away(intake: Intake):
    application_id, _ = await intake.apply()
    intake.broker.cut()
    assert (await intake.correct(application_id, intake.correction(application_id))).status_code == 202
    intake.broker.restore()
    await intake.vault.fetch_until(2, "vault", "application.received")
    assert {event.version for _, event in intake.vault.received} == {1, 2}


async def test_a_verdict_on_an_earlier_version_is_not_shown(intake: Intake):
    application_id, _ = await intake.apply()
    await intake.vault.decide(decide(application_id, "rejected", "age"))
    await until(lambda: _shows(intake, application_id, "rejected"))
    assert (await intake.correct(application_id, intake.correction(application_id))).status_code == 202
    assert await _shows(intake, application_id, "received")
    other, _ = await intake.apply()
    await intake.vault.decide(decide(application_id, "rejected", "age", revision=2), decide(other))
    await until(lambda: _shows(intake, other, "complete"))
    assert await _shows(intake, application_id, "received")
    await intake.vault.decide(decide(application_id, "withdrawn", revision=3, version=2))
    await until(lambda: _shows(intake, application_id, "withdrawn"))


async def test_after_the_draw_every_complete_application_reads_drawn(intake: Intake):
    applications = [(await intake.apply())[0] for _ in range(2)]
    await intake.vault.decide(decide(applications[0]), decide(applications[1], "rejected", "age"))
    await until(lambda: _shows(intake, applications[0], "complete"))
    await intake.vault.publish(DrawPublished(campaign=CAMPAIGN, draw=DrawId("777-days-1")))
    await until(lambda: _shows(intake, applications[0], "drawn"))
    assert await _shows(intake, applications[1], "rejected")


def _told_by_headers(answer: httpx.Response) -> frozenset[tuple[str, str]]:
    """Return the headers without the time."""
    return frozenset((name, value) for name, value in answer.headers.items() if name != "date")


async def _shows(intake: Intake, application_id: ApplicationId, status: str) -> bool:
    return bool((await intake.status(application_id)).json()["status"] == status)
