"""Read a request body with a limit on bytes and on time, also where the client announces no length; parse it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from shared.strict_json import parse_strict_json
from shared.web import ProblemError, body_timeout, too_large

Body = TypeVar("Body", bound=BaseModel)

_DISCARD_LIMIT = 1024 * 1024
"""Bytes of an oversized body that are read and dropped, so that the client can read the answer."""


async def read_body(
    request: Request, *, limit: int, timeout_s: float, refusal: Callable[[int], ProblemError] = too_large
) -> bytes:
    """Return the whole body.

    Raises ProblemError: `refusal` beyond `limit` bytes, 408 when the body stalls or the client disconnects.
    """
    try:
        async with asyncio.timeout(timeout_s):
            announced = request.headers.get("content-length", "")
            if announced.isdecimal() and int(announced) > limit + _DISCARD_LIMIT:
                raise refusal(limit)
            body = await _collect(request.stream(), limit)
    except (TimeoutError, ClientDisconnect):
        raise body_timeout() from None
    if body is None:
        raise refusal(limit)
    return body


def parse_body(form: type[Body], body: bytes) -> Body:
    """Return the request of this form. Raises RequestValidationError, which repeats nothing of what was sent."""
    try:
        parse_strict_json(body)
    except ValueError:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": "no JSON"}]) from None
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        mistakes = error.errors(include_input=False, include_context=False, include_url=False)
        raise RequestValidationError([{**mistake, "loc": ("body", *mistake["loc"])} for mistake in mistakes]) from None


async def _collect(chunks: AsyncIterator[bytes], limit: int) -> bytes | None:
    """Return the body, or None where there are more than `limit` bytes."""
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > limit:
            await _discard(chunks)
            return None
        body += chunk
    return bytes(body)


async def _discard(chunks: AsyncIterator[bytes]) -> None:
    dropped = 0
    async for chunk in chunks:
        dropped += len(chunk)
        if dropped > _DISCARD_LIMIT:
            return
