"""Signed-in staff may work until the day is over; others may not, and no other site may act for them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient

from services.lottery.pages.site import lottery_renderer
from shared.web import install_problems
from shared.web.sessions import COOKIE, Session, read_session, write_session
from shared.web.signin import Staff, signin_router, staff_only

SECRET = "a-staff-secret"
ORIGIN = {"origin": "http://testserver"}
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    token = tmp_path / "token"
    token.write_text(SECRET)
    app, guard = FastAPI(), staff_only(token)
    install_problems(app)
    app.include_router(signin_router(lottery_renderer(), token))

    @app.get("/who")
    def who(staff: Annotated[Staff, Depends(guard)]) -> str | None:
        return staff.actor

    @app.post("/as/{actor}")
    def act(actor: str, staff: Annotated[Staff, Depends(guard)]) -> str:
        return staff.acting_as(actor)

    async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver") as client:
        yield client


async def sign_in(office: AsyncClient, **changed: str) -> int:
    fields = {"actor": "yamada-01", "secret": SECRET, "next": "/who", **changed}
    return (await office.post("/sign-in", data=fields, headers=ORIGIN)).status_code


async def test_a_signed_in_person_is_known_by_the_typed_id(office: AsyncClient):
    assert (await office.get("/who")).status_code == 401
    answer = await office.post(
        "/sign-in", data={"actor": "yamada-01", "secret": SECRET, "next": "/who"}, headers=ORIGIN
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/who")
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert (await office.get("/who")).json() == "yamada-01"
    assert (await office.post("/as/yamada-01", headers=ORIGIN)).json() == "yamada-01"
    assert (await office.post("/as/suzuki-02", headers=ORIGIN)).status_code == 403
    assert (await office.post("/sign-out", headers=ORIGIN)).status_code == 303
    assert (await office.get("/who")).status_code == 401


async def test_a_program_with_the_staff_token_needs_no_session(office: AsyncClient):
    bearer = {"authorization": f"Bearer {SECRET}"}
    assert (await office.get("/who", headers=bearer)).json() is None
    assert (await office.post("/as/anybody", headers=bearer)).json() == "anybody"


@pytest.mark.parametrize("headers", [{}, {"origin": "http://elsewhere.example"}, {"origin": "null"}])
async def test_another_sites_form_neither_signs_in_nor_changes_anything(office: AsyncClient, headers: dict[str, str]):
    fields = {"actor": "yamada-01", "secret": SECRET}
    assert (await office.post("/sign-in", data=fields, headers=headers)).status_code == 403
    assert await sign_in(office) == 303
    assert (await office.post("/as/yamada-01", headers=headers)).status_code == 403
    assert (await office.post("/sign-out", headers=headers)).status_code == 403


@pytest.mark.parametrize("changed", [{"secret": "wrong"}, {"secret": ""}, {"actor": "山田"}, {"actor": ""}])
async def test_a_wrong_secret_or_id_is_refused_with_a_message(office: AsyncClient, changed: dict[str, str]):
    assert await sign_in(office, **changed) == 401
    assert (await office.get("/who")).status_code == 401


async def test_guessing_is_slow(office: AsyncClient):
    assert [await sign_in(office, secret="wrong") for _ in range(10)] == [401] * 10
    assert await sign_in(office) == 429


@pytest.mark.parametrize("target", ["//elsewhere.example/", "https://elsewhere.example/", "/\\elsewhere", "who"])
async def test_signing_in_leads_nowhere_else(office: AsyncClient, target: str):
    fields = {"actor": "yamada-01", "secret": SECRET, "next": target}
    assert (await office.post("/sign-in", data=fields, headers=ORIGIN)).headers["location"] == "/"


async def test_a_form_without_end_is_cut_off(office: AsyncClient):
    assert await sign_in(office, next="/" * 10_000) == 413


def test_a_session_ends_with_its_day_with_its_secret_and_with_any_change():
    session = Session("yamada-01", NOW + timedelta(hours=8))
    text = write_session(SECRET, session)
    assert read_session(SECRET, text, NOW) == session
    assert read_session(SECRET, text, NOW + timedelta(hours=8)) is None
    assert read_session("another secret", text, NOW) is None
    for at in range(len(text)):
        changed = text[:at] + ("b" if text[at] != "b" else "c") + text[at + 1 :]
        assert read_session(SECRET, changed, NOW) is None


async def test_the_cookies_name_is_the_one_that_is_read(office: AsyncClient):
    await sign_in(office)
    assert office.cookies.get(COOKIE)
