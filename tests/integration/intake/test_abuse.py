"""Clients with too many requests get 429 or 428; nothing about them is stored."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.intake.rules.proof_of_work import is_done
from services.intake.rules.submission import Submission
from services.intake.settings import IntakeSettings
from tests.integration.intake.conftest import Intake, serving
from tests.support.vault_messages import CAMPAIGN

PATH = f"/v1/campaigns/{CAMPAIGN}/applications"


@pytest.fixture
async def strict(intake: Intake, settings: IntakeSettings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a second instance with narrow limits and proof of work."""
    narrow = {"applications_per_minute": 5, "lookups_per_minute": 5, "work_bits": 6}
    wired = settings.model_validate(settings.model_dump() | narrow)
    assert await intake.has_key()
    async with serving(wired) as url, httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        yield http


def solve(body: dict[str, Any]) -> dict[str, str]:
    submission = Submission.model_validate(body)
    nonce = next(str(each) for each in range(10_000) if is_done(CAMPAIGN, submission, str(each), 6))
    return {"Kuji-Work": nonce}


async def test_an_application_needs_proof_of_work_where_it_is_required(intake: Intake, strict: httpx.AsyncClient):
    body = intake.body()
    asked = await strict.post(PATH, json=body)
    assert (asked.status_code, asked.json()["type"], asked.json()["bits"]) == (428, "urn:kuji:problem:work-required", 6)
    assert (await intake.status(body["application_id"])).status_code == 404
    assert (await strict.post(PATH, json=body, headers=solve(body))).status_code == 202


async def test_too_many_requests_get_a_time_to_wait_and_paper_is_not_counted(intake: Intake, strict: httpx.AsyncClient):
    answers = [await strict.post(PATH, json={}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    paper = await strict.post(PATH, json=intake.body(), params={"channel": "fax"}, headers=intake.staff)
    assert paper.status_code == 202


@pytest.mark.parametrize(
    "path", ["/v1/postal-codes/1600021", f"/v1/campaigns/{CAMPAIGN}/receipts/W-0000", "/v1/applications/0"]
)
async def test_guessing_is_slowed_down(strict: httpx.AsyncClient, path: str):
    statuses = [(await strict.get(path)).status_code for _ in range(7)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:5]
