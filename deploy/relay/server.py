"""HTTP server of a rehearsal's relay: drand's API (https://docs.drand.love), the part that the lottery asks.

`GET /rehearsal/info` and `GET /rehearsal/public/<round>`; 425 before the round's time on the rehearsal's clock.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from deploy.relay.chain import RelayKey, write_answer
from shared.campaign.beacon_schedule import REHEARSAL, Schedule
from shared.clock import Clock

_ROUND: Final = re.compile(rf"/{REHEARSAL}/public/([1-9][0-9]{{0,15}})")
_TIMEOUT_S: Final = 10.0

Answer = tuple[HTTPStatus, Mapping[str, str | int]]


class Relay:
    """Answers for one chain."""

    def __init__(self, key: RelayKey, schedule: Schedule, clock: Clock) -> None:
        self._key, self._schedule, self._clock = key, schedule, clock
        self._sign = lru_cache(64)(lambda number: write_answer(key, number))

    def answer(self, path: str) -> Answer:
        """Return status and body for the path of a request."""
        if path == f"/{REHEARSAL}/info":
            return HTTPStatus.OK, {
                "public_key": self._key.public,
                "genesis_time": self._schedule.genesis,
                "period": self._schedule.period,
                "schemeID": "bls-unchained-g1-rfc9380",
            }
        found = _ROUND.fullmatch(path)
        if found is None:
            return HTTPStatus.NOT_FOUND, {}
        number = int(found[1])
        if number >= self._schedule.round_after(self._clock.now()):
            return HTTPStatus.TOO_EARLY, {}
        return HTTPStatus.OK, self._sign(number)


def make_server(relay: Relay, port: int) -> ThreadingHTTPServer:
    """Return a server on this machine only; `port` 0 takes a free one. The caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_S

        def do_GET(self) -> None:
            status, content = relay.answer(self.path)
            body = json.dumps(content).encode("ascii")
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log of requests."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
