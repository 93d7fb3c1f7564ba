"""One limit for every request of a service, before routing: size and time of the body, size of the head, and the
right to send a body at all.

A body that nobody asked for is never read: whoever sends one to a route that is not open to all shows a session of
staff first. Without this, one request of 300 MB without a token took 1 GB of memory (attack a11).
"""

import asyncio
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.problems import ProblemError, answer_to, problem
from shared.web.refusals import RefusalLog
from shared.web.signed_out_limit import SignedOutLimit

BODY_BYTES: Final = 64 * 1024
BODY_S: Final = 10.0
HEAD_BYTES: Final = 16 * 1024

LARGEST_INTEGER: Final = 2**53 - 1
"""Largest integer that a request may hold: JSON carries it exactly (RFC 8259 §6), and MongoDB stores it."""

_DISCARDED_BYTES: Final = 1024 * 1024
"""Bytes of an oversized body that are read and dropped, so that the sender gets to see the answer."""

Admit = Callable[[Request], object]
"""Raises ProblemError for a request whose head shows no right to send a body. It may be a coroutine function."""


@dataclass(frozen=True)
class BodyLimit:
    """Limits of the routes whose whole path matches `path`.

    `admit`: None where the route is open to all. `streamed`: the route counts and times the body while it reads it,
    because it looks at other limits first.
    """

    path: re.Pattern[str] = field(default_factory=lambda: re.compile(".*"))
    most_bytes: int = BODY_BYTES
    longest_s: float = BODY_S
    admit: Admit | None = None
    streamed: bool = False


class RequestLimits:
    """ASGI middleware around a whole service. The first of `routes` that matches counts; else staff alone may send.

    Every refusal, of this class or of the service behind it, leaves a line in the log, and an address that is refused
    as signed out again and again gets 429.
    """

    def __init__(self, app: ASGIApp, *, staff: Admit, routes: Sequence[BodyLimit] = ()) -> None:
        self._app, self._routes, self._default = app, tuple(routes), BodyLimit(admit=staff)
        self._refusals, self._signed_out = RefusalLog(), SignedOutLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = self._signed_out.limiting(scope, self._refusals.watching(scope, _without_sniffing(send)))
        try:
            receive = await self._checked(scope, receive)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = answer_to(error)
            if answer is None:
                raise
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        """Return the channel from which the service reads the body. Raises ProblemError."""
        _check_head(scope)
        request = Request(scope, receive)
        if not _has_body(request.headers):
            return receive
        limit = self._limit_of(scope["path"])
        if limit.admit is not None:
            await _admit(limit.admit, request)
        return receive if limit.streamed else _replaying(await _read(request, limit), receive)

    def _limit_of(self, path: str) -> BodyLimit:
        return next((limit for limit in self._routes if limit.path.fullmatch(path)), self._default)


async def _admit(admit: Admit, request: Request) -> None:
    """Refuse by closing the connection, so that the rest of the body is not even received."""
    try:
        admitted = admit(request)
        if inspect.isawaitable(admitted):
            await admitted
    except ProblemError as refused:
        refused.headers = {**refused.headers, "Connection": "close"}
        raise


def _check_head(scope: Scope) -> None:
    size = len(scope["path"]) + len(scope["query_string"])
    if size + sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES:
        raise problem(
            "head-too-large",
            431,
            "送信された見出しが大きすぎます",
            "このサイトのCookieを消してから、もう一度送信してください。",
            en=f"Address and header fields may hold {HEAD_BYTES} bytes together (RFC 6585); send fewer of them.",
            headers={"Connection": "close"},
        )


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0").lstrip("0") != ""


async def _read(request: Request, limit: BodyLimit) -> bytes:
    """Return the whole body. Raises ProblemError: 413 beyond the limit, 408 when it stalls."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit.most_bytes + _DISCARDED_BYTES:
        raise too_large(limit.most_bytes)
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(limit.longest_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= limit.most_bytes:
                    body += chunk
                elif size > limit.most_bytes + _DISCARDED_BYTES:
                    break
    except TimeoutError:
        raise body_timeout() from None
    if size > limit.most_bytes:
        raise too_large(limit.most_bytes)
    return bytes(body)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a channel that yields the body that was read, then what the client does afterwards."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again


def _without_sniffing(send: Send) -> Send:
    """Say with every answer that browsers must not guess another content type than the named one."""

    async def send_with_header(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(raw=message.setdefault("headers", [])).setdefault("X-Content-Type-Options", "nosniff")
        await send(message)

    return send_with_header


def too_large(most_bytes: int) -> ProblemError:
    return problem(
        "too-large",
        413,
        "送信された内容が大きすぎます",
        "内容を小さく分けて、もう一度送信してください。",
        en=f"A request body of this address may hold {most_bytes} bytes; send less at once.",
        limit=most_bytes,
        headers={"Connection": "close"},
    )


def body_timeout() -> ProblemError:
    return problem(
        "body-timeout",
        408,
        "送信が途中で止まりました",
        "通信の状態を確かめて、同じ内容をもう一度送信してください。",
        en="The request body did not arrive in time; send the same again.",
        headers={"Connection": "close"},
    )
