"""The shell of every service: errors that repeat nothing, logs that refuse, a clock that cannot move a real draw."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shared import logging
from shared.campaign import load_campaign
from shared.clock import RehearsalClock, SystemClock, choose_clock, set_rehearsal_clock
from shared.errors import ConfigurationError
from shared.web import health_router, install_problems, metrics_guard, problem

SAMPLE = Path("deploy/campaigns/777-days.yaml")
SECRET = "山田花子-canary"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: Annotated[int, Field(ge=0)]


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    app = FastAPI()
    install_problems(app)
    token = tmp_path / "token"
    token.write_text("right\n")

    @app.post("/shape")
    async def shape(body: Body) -> int:
        return body.number

    @app.get("/problem")
    async def gone() -> None:
        raise problem("gone", 410, "ありません", "別の番号を確かめてください。", opens="2018-05-15")

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(SECRET)

    async def person(request: Request, _: Response) -> None:
        if "cookie" not in request.headers:
            raise problem("unauthorized", 401, "サインインが必要です", "サインインしてください。")

    @app.get("/metrics", dependencies=[Depends(metrics_guard(token, person))])
    async def metrics() -> str:
        return "in"

    async def up() -> bool:
        return True

    async def down() -> bool:
        raise OSError(SECRET)

    app.include_router(health_router({"store": up, "broker": down}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize("body", [{"number": SECRET}, {"number": 1, SECRET: 1}, [SECRET], {"number": {SECRET: 1}}])
async def test_a_wrong_shape_is_named_without_repeating_it(client: httpx.AsyncClient, body: object):
    answer = await client.post("/shape", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:kuji:problem:invalid"
    assert SECRET not in json.dumps(answer.json(), ensure_ascii=False)


async def test_a_problem_carries_its_type_and_members(client: httpx.AsyncClient):
    answer = (await client.get("/problem")).json()
    assert (answer["type"], answer["status"], answer["opens"]) == ("urn:kuji:problem:gone", 410, "2018-05-15")


async def test_an_unexpected_error_says_nothing_of_its_text(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
):
    logging.configure("test", "info")
    answer = await client.get("/broken")
    said = capsys.readouterr().out
    assert answer.status_code == 500
    assert SECRET not in answer.text + said
    assert "RuntimeError" in said


async def test_metrics_are_for_the_token_and_for_people_who_signed_in(client: httpx.AsyncClient):
    assert (await client.get("/metrics")).status_code == 401
    assert (await client.get("/metrics", headers={"Authorization": "Bearer wrong"})).status_code == 401
    assert (await client.get("/metrics", headers={"Authorization": "Bearer right"})).json() == "in"
    assert (await client.get("/metrics", headers={"Cookie": "session"})).json() == "in"


async def test_ready_names_the_part_that_is_away(client: httpx.AsyncClient):
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"store": True, "broker": False}
    assert (await client.get("/health/live")).status_code == 200


def test_a_field_that_is_not_listed_is_not_logged(capsys: pytest.CaptureFixture[str]):
    logging.configure("test", "info")
    with pytest.raises(ValueError, match="not a log field: name"):
        logging.get_logger("test").info("greeted", name=SECRET)
    assert SECRET not in capsys.readouterr().out


def test_the_rehearsal_clock_runs_on_from_where_it_was_set(tmp_path: Path):
    file = tmp_path / "clock.json"
    start = datetime(2018, 5, 15, tzinfo=UTC)
    set_rehearsal_clock(file, start)
    clock = RehearsalClock(file)
    assert timedelta(0) <= clock.now() - start < timedelta(seconds=5)
    set_rehearsal_clock(file, start + timedelta(days=14))
    assert clock.now() >= start + timedelta(days=14)


def test_a_real_campaign_refuses_the_rehearsal_clock(tmp_path: Path):
    campaign = load_campaign(SAMPLE)
    set_rehearsal_clock(tmp_path / "clock", datetime(2018, 5, 15, tzinfo=UTC))
    with pytest.raises(ConfigurationError, match="not a rehearsal"):
        choose_clock(tmp_path / "clock", [campaign])
    assert isinstance(choose_clock(None, [campaign]), SystemClock)
    rehearsal = campaign.model_copy(update={"rehearsal": True})
    assert isinstance(choose_clock(tmp_path / "clock", [rehearsal]), RehearsalClock)
