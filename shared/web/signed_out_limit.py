"""Limit, by the client's address, how often a listener says that a session or a token is missing or wrong (401).

An open session never comes here: it passes, however often strangers at the same address were refused. So a stranger
locks nobody out. Addresses are counted by a keyed hash in memory; a count is dropped two minutes after its last refusal
at the latest, by the next one of anybody.
"""

import math
import time
from collections.abc import Callable
from typing import Final

from fastapi import Request
from starlette.types import Message, Scope, Send

from shared.web.client_address import AddressHash
from shared.web.problems import ProblemError, problem
from shared.web.window_counts import WindowCounts

MOST_SIGNED_OUT: Final = 600
"""Answers 401 that one address gets in a minute: an office whose sign-ins have ended has many pages that ask on."""

_WINDOW_S: Final = 60.0
_SIGNED_OUT: Final = 401


class SignedOutLimit:
    """Turns 401 into 429 for an address that got too many. One object per listener."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._hash = now, AddressHash()
        self._counts = WindowCounts(MOST_SIGNED_OUT, _WINDOW_S)

    def limiting(self, scope: Scope, send: Send) -> Send:
        """Return `send` that puts 429 in the place of a 401 beyond the limit."""
        replaced = False

        async def send_or_refuse(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == _SIGNED_OUT:
                wait_s = self._counts.hit(self._hash.of(Request(scope)), self._now())
                if wait_s is not None:
                    replaced = True
                    await _too_many(wait_s).response()(scope, _receive_nothing, send)
            if not replaced:
                await send(message)

        return send_or_refuse


async def _receive_nothing() -> Message:
    return {"type": "http.disconnect"}


def _too_many(wait_s: float) -> ProblemError:
    return problem(
        "too-many-requests",
        429,
        "サインインしていない要求が続きました",
        "1分ほど待ってから、担当者の画面を開き直してサインインしてください。",
        en="Too many requests without a session from this address; wait a minute, then sign in.",
        headers={"Retry-After": str(max(1, math.ceil(wait_s))), "Connection": "close"},
    )
