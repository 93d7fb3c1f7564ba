"""Bodies are counted while they are read, whatever length they announce, and the wait for them ends."""

import asyncio
from collections.abc import Iterable

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.types import Message

from services.intake.request_body import parse_body, read_body
from services.intake.rules.paper_submission import PaperSubmission
from services.intake.rules.submission import Submission, VersionSubmission
from shared.web import ProblemError

LIMIT = 100


class Sender:
    """Client that sends these chunks and then ends, stalls or leaves."""

    def __init__(self, chunks: Iterable[bytes], *, then: str = "end") -> None:
        self._chunks, self._then, self.sent = list(chunks), then, 0

    async def __call__(self) -> Message:
        if self._chunks:
            chunk = self._chunks.pop(0)
            self.sent += len(chunk)
            return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks) or self._then != "end"}
        if self._then == "leave":
            return {"type": "http.disconnect"}
        await asyncio.sleep(60)
        raise AssertionError("the reader waited too long")


async def read(sender: Sender, *, announced: int | None = None) -> bytes:
    headers = [] if announced is None else [(b"content-length", str(announced).encode())]
    scope = {"type": "http", "method": "POST", "headers": headers}
    return await read_body(Request(scope, sender), limit=LIMIT, timeout_s=0.2)


async def refusal(sender: Sender, *, announced: int | None = None) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        await read(sender, announced=announced)
    return caught.value


async def test_a_body_of_exactly_the_limit_is_read_whole():
    assert await read(Sender([b"a" * 60, b"b" * 40])) == b"a" * 60 + b"b" * 40


async def test_one_byte_more_is_too_large_also_without_an_announced_length():
    assert (await refusal(Sender([b"a" * 60, b"b" * 41]))).status == 413


async def test_a_length_that_was_announced_too_small_does_not_help():
    assert (await refusal(Sender([b"a" * 60, b"b" * 60]), announced=10)).status == 413


async def test_a_huge_announced_body_is_refused_without_reading_it():
    sender = Sender([b"a" * 10])
    assert (await refusal(sender, announced=10**9)).status == 413
    assert sender.sent == 0


async def test_the_rest_of_an_oversized_body_is_dropped_up_to_a_bound():
    sender = Sender([b"x" * 65536] * 100)
    assert (await refusal(sender)).status == 413
    assert sender.sent < 20 * 65536


@pytest.mark.parametrize("then", ["stall", "leave"])
async def test_a_body_that_never_ends_is_given_up(then: str):
    assert (await refusal(Sender([b"a"], then=then))).status == 408


@pytest.mark.parametrize("form", [Submission, VersionSubmission, PaperSubmission])
@pytest.mark.parametrize("content", [b'{"v":2,"v":2}', b'{"v":2,"\\u0076":2}', b'{"v":NaN}', b'"\xff"', b"[" * 50_000])
def test_json_that_two_readers_may_read_differently_is_refused(form: type, content: bytes):
    """Refuse repeated member names too, in whatever spelling (RFC 7493)."""
    with pytest.raises(RequestValidationError) as caught:
        parse_body(form, content)
    assert [mistake["type"] for mistake in caught.value.errors()] == ["json_invalid"]


@pytest.mark.parametrize(("form", "version"), [(Submission, 2), (VersionSubmission, 2), (PaperSubmission, 1)])
@pytest.mark.parametrize("spelling", ["true", "{}.0", '"{}"'])
def test_the_form_version_is_an_integer(form: type, version: int, spelling: str):
    with pytest.raises(RequestValidationError) as caught:
        parse_body(form, f'{{"v":{spelling.format(version)}}}'.encode())
    assert ("body", "v") in {mistake["loc"] for mistake in caught.value.errors()}
