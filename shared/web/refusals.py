"""Log every refusal of a listener, without anything of what was sent, and so that strangers cannot fill the logs."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from starlette.types import Message, Scope, Send

from shared.logging import get_logger

_REFUSED: Final = range(400, 500)
SINGLE_LINES: Final = 60
"""Refusals of one route with one status that get a line of their own in one window; those beyond it are counted."""
WINDOW_S: Final = 60.0
NO_ROUTE: Final = "none"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = get_logger(__name__)


class RefusalLog:
    """Writes `request-refused` with method, template of the route, and status. One object per listener.

    Beyond `SINGLE_LINES` in a window the refusals of a route with one status are counted, and `requests-refused` tells
    their number with the first refusal of a later window: a flood leaves a number, not a full disk, and it hides no
    refusal of another kind. Routes are templates of ours and statuses are few, so the counts are few, too.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._begun = now, 0.0
        self._seen = Counter[tuple[str, int]]()

    def watching(self, scope: Scope, send: Send) -> Send:
        """Return `send` that notes the answer to this request if it is a refusal."""

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _REFUSED:
                self.note(scope["method"], _template(scope), message["status"])
            await send(message)

        return noting

    def note(self, method: str, route: str, status: int) -> None:
        """Note a refusal. `route` is a template of ours, never an address that was asked for."""
        now = self._now()
        if now - self._begun >= WINDOW_S:
            self._tell_counts()
            self._begun = now
        self._seen[route, status] += 1
        if self._seen[route, status] <= SINGLE_LINES:
            known = method if method in _METHODS else "other"
            _log.warning("request-refused", method=known, route=route, status=status)

    def _tell_counts(self) -> None:
        """Tell how many refusals of the window had no line, and begin to count anew."""
        for (route, status), count in self._seen.items():
            if count > SINGLE_LINES:
                _log.warning("requests-refused", route=route, status=status, count=count - SINGLE_LINES)
        self._seen.clear()


def _template(scope: Scope) -> str:
    """Return the route's template within its router, e.g. `/parked/{parked_id}`; `none` where none was reached."""
    return str(getattr(scope.get("route"), "path", NO_ROUTE))
