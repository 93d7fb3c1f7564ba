"""Limits before routing: who may send a body, how large, how long, and how large a head may be."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

from shared.web import BodyLimit, RequestLimits, install_problems, problem

STAFF = {"Cookie": "kuji-session=staff"}


async def _admit(request: Request) -> None:
    if request.headers.get("cookie") != STAFF["Cookie"]:
        raise problem("unauthorized", 401, "サインインが必要です", "サインインしてください。")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)
    routes = (
        BodyLimit(re.compile("/open"), most_bytes=1000, longest_s=0.2),
        BodyLimit(re.compile("/own"), streamed=True),
    )
    app.add_middleware(RequestLimits, staff=_admit, routes=routes)

    @app.post("/staff")
    @app.post("/open")
    @app.post("/own")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.get("/text")
    async def text() -> str:
        return "text"

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        yield client


async def test_staff_may_send_64_kib_and_no_byte_more(http: httpx.AsyncClient) -> None:
    assert (await http.post("/staff", content=b"x" * 65_536, headers=STAFF)).json() == 65_536
    refused = await http.post("/staff", content=b"x" * 65_537, headers=STAFF)
    assert (refused.status_code, refused.json()["limit"]) == (413, 65_536)


async def test_a_body_without_a_session_is_refused_also_where_there_is_no_route(http: httpx.AsyncClient) -> None:
    for path in ("/staff", "/nowhere"):
        refused = await http.post(path, content=b"x")
        assert refused.status_code == 401
        assert refused.headers["Connection"] == "close"
        assert refused.headers["Content-Type"] == "application/problem+json"


async def test_an_open_route_takes_anybodys_body_up_to_its_own_limit(http: httpx.AsyncClient) -> None:
    assert (await http.post("/open", content=b"x" * 1000)).json() == 1000
    assert (await http.post("/open", content=b"x" * 1001)).status_code == 413


async def test_a_streamed_route_gets_the_body_as_it_comes(http: httpx.AsyncClient) -> None:
    assert (await http.post("/own", content=b"x" * 100_000)).json() == 100_000


async def test_a_body_that_stalls_is_408(http: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(1)
        yield b"x"

    assert (await http.post("/open", content=pieces())).status_code == 408


async def test_a_head_of_more_than_16_kib_is_431(http: httpx.AsyncClient) -> None:
    assert (await http.get("/text", headers={"X-Long": "x" * 15_000})).status_code == 200
    refused = await http.get("/text", headers={"X-Long": "x" * 17_000})
    assert refused.status_code == 431
    assert "xxx" not in refused.text


@pytest.mark.parametrize("path", ["/text", "/nowhere"])
async def test_every_answer_forbids_sniffing(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).headers["X-Content-Type-Options"] == "nosniff"
    assert (await http.post("/staff", content=b"x")).headers["X-Content-Type-Options"] == "nosniff"
