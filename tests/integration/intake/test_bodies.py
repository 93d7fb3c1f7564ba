"""Bodies that are huge, chunked, slow or of the wrong shape, over a real socket."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.integration.intake.conftest import Intake
from tests.support.vault_messages import CAMPAIGN
from tests.support.waiting import await_all

PATH = f"/v1/campaigns/{CAMPAIGN}/applications"
WRONG = "山田太郎"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 50_000,
        b"application_id=1&sealed=2",
        json.dumps({"v": 1}).encode(),
        json.dumps({"v": 1, "application_id": 7, "key_id": ["k"], "sealed": {"a": WRONG}}).encode(),
        json.dumps({"v": 1, WRONG: WRONG}).encode(),
    ],
)
async def test_a_body_of_the_wrong_shape_is_422_and_never_repeated(intake: Intake, content: bytes):
    answer = await intake.http.post(PATH, content=content)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:kuji:problem:invalid"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert WRONG not in json.dumps(answer.json(), ensure_ascii=False)


async def test_an_unknown_member_beside_a_good_application_is_refused(intake: Intake):
    answer = await intake.post(intake.body(**{WRONG: WRONG}))
    assert answer.status_code == 422
    assert WRONG not in json.dumps(answer.json(), ensure_ascii=False)
    assert (await intake.post(intake.body())).status_code == 202


@pytest.mark.parametrize("size", [65_537, 300_000, 1_000_000])
async def test_a_huge_body_is_413(intake: Intake, size: int):
    answer = await intake.http.post(PATH, content=b"x" * size)
    assert answer.status_code == 413
    assert answer.json()["limit"] == 65_536


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 8192


async def test_a_huge_body_in_chunks_is_413_without_an_announced_length(intake: Intake):
    answer = await intake.http.post(PATH, content=chunks(40))
    assert answer.status_code == 413


async def test_an_application_in_chunks_is_taken(intake: Intake):
    body = json.dumps(intake.body()).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    assert (await intake.http.post(PATH, content=pieces())).status_code == 202


async def head_only(intake: Intake, length: int, start: bytes) -> bytes:
    """Announce a body of `length` bytes, send no more than its start, and read what comes back."""
    address = urlsplit(intake.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: intake\r\nContent-Length: {length}\r\n\r\n".encode() + start)
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_body_that_stalls_is_given_up(intake: Intake):
    answer = await head_only(intake, 100, b'{"v":1,')
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"urn:kuji:problem:body-timeout" in answer


async def test_a_body_announced_as_enormous_is_refused_before_it_comes(intake: Intake):
    answer = await head_only(intake, 10**12, b"")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()


async def test_a_body_of_exactly_the_limit_is_read(intake: Intake):
    answer = await intake.http.post(PATH, content=b" " * 65_536)
    assert answer.status_code == 422


async def test_after_all_that_intake_still_takes_applications(intake: Intake):
    await await_all(*(intake.http.post(PATH, content=os.urandom(size)) for size in (0, 1, 70_000, 500_000)))
    assert (await intake.post(intake.body())).status_code == 202
