"""Fuzz the routes of a service: requests in the shapes of its description (schemathesis), and changed from there.

Staff routes are asked with a session that holds every right: what lies behind the guards is what has to hold.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes, urlencode

import schemathesis
from fastapi.openapi.utils import get_openapi
from hypothesis import HealthCheck, Phase, given, settings

from shared.logging import describe
from tests.support.all_routes import OPEN, KnownRoute, routes_with_paths
from tests.support.fuzzing.inputs import Inputs
from tests.support.fuzzing.installation import RunningService
from tests.support.fuzzing.outcome import CANARY, Outcome, watched_inputs

_FORM_FIELD: Final = re.compile(r'name="([a-z_]+)"|fields(?:\.get\(|\[)"([a-z_]+)"|form(?:\.get\(|\[)"([a-z_]+)"')
_ENDS_THE_SERVICE: Final = ("POST /v1/lock",)
"""Routes after which the service does nothing more: they come last."""


@dataclass(frozen=True)
class Ask:
    """A request: path and query as sent, percent-encoded."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None
    form: bool = False


@dataclass(frozen=True)
class Answer:
    """Status, location and body of an answer."""

    status: int
    location: str
    body: bytes


class Fuzzer:
    """Sends made-up requests to a running service, straight to its application."""

    def __init__(self, service: RunningService, inputs: Inputs, bases: int) -> None:
        """Take the service. `bases`: requests that schemathesis makes for each operation, to begin with."""
        self._service, self._inputs, self._bases = service, inputs, bases
        self._fields = _form_fields()
        self._described = schemathesis.openapi.from_dict(
            get_openapi(title="fuzz", version="1", routes=service.app.routes)
        )
        self._session: dict[str, str] = {}

    def routes(self) -> list[KnownRoute]:
        """Return all routes; those that end the service last."""
        return sorted(routes_with_paths(self._service.app), key=lambda route: route.name in _ENDS_THE_SERVICE)

    def is_open(self, route: KnownRoute) -> bool:
        """Return True for a route that asks for no session."""
        return route.name in OPEN[self._service.name]

    async def fuzz(self, route: KnownRoute, count: int) -> Outcome:
        """Send `count` requests to the route and return what was found."""
        outcome = Outcome(f"{self._service.name} {route.name}")
        bases = self._bases_of(route)
        self._session = await self._service.sign_in()
        with watched_inputs(outcome, count) as numbers:
            for number in numbers:
                ask = bases[number] if number < len(bases) else self._changed(self._inputs.random.choice(bases))
                began = time.process_time()
                answer = await self._send(ask)
                outcome.count(str(answer.status), time.process_time() - began)
                await self._judge(ask, answer, outcome, is_open=self.is_open(route))
        return outcome

    async def _judge(self, ask: Ask, answer: Answer, outcome: Outcome, *, is_open: bool) -> None:
        if answer.status >= 500 and answer.status != 503:  # 503: a part is away, as documented
            outcome.error(
                f"{answer.status} {answer.body[:80]!r} {ask.method} {ask.path}?{ask.query} {str(ask.body)[:300]}"
            )
        if CANARY.encode() in answer.body.lower() and (is_open or answer.status >= 400):
            outcome.echo(f"{answer.status} {ask.method} {ask.path} {str(ask.body)[:200]}")
        if answer.status == 401 or "sign-in" in answer.location:
            self._session = await self._service.sign_in()  # the request before ended the session, as it may

    def _bases_of(self, route: KnownRoute) -> list[Ask]:
        """Return requests in the described shape; of a page, which no description names, its path and known fields."""
        plain = Ask(route.method, quote(route.path), form=not route.path.startswith("/v1/"))
        if route.method != "GET":
            fields = self._inputs.random.sample(self._fields, min(6, len(self._fields)))
            plain = replace(plain, body=dict.fromkeys(fields, "1") if plain.form else {})
        return [plain, *self._made_up(route)]

    def _made_up(self, route: KnownRoute) -> Iterator[Ask]:
        """Yield what schemathesis makes for the operation; nothing where no description names it."""
        if not self._bases:
            return
        try:
            operation = self._described[route.template][route.method]
        except (KeyError, LookupError):
            return
        cases = list[schemathesis.Case]()

        @settings(
            max_examples=self._bases,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            deadline=None,
        )
        @given(operation.as_strategy())
        def collect(case: schemathesis.Case) -> None:
            cases.append(case)

        collect()
        for case in cases:
            query = urlencode([(name, _text(value)) for name, value in dict(case.query or {}).items()], doseq=True)
            body = case.body if isinstance(case.body, dict | list | str) else None
            path = case.formatted_path
            yield Ask(route.method, path, query, body=body, form="form" in str(case.media_type))
            # The same with ids that are known here, so that it gets beyond the look-up.
            yield Ask(route.method, quote(route.path), query, body=body, form="form" in str(case.media_type))

    def _changed(self, ask: Ask) -> Ask:
        """Return the request with one part changed."""
        inputs, roll = self._inputs, self._inputs.random.random()
        if roll < 0.25:
            parts = ask.path.split("/")
            at = inputs.random.randrange(1, len(parts))
            parts[at] = quote(inputs.changed_text(parts[at]).encode("utf-8", "replace"), safe="")
            return replace(ask, path="/".join(parts))
        if roll < 0.4 or (roll < 0.9 and ask.method == "GET"):
            name = inputs.random.choice(("limit", "after", "state", "lang", "next", "q", inputs.text(), *self._fields))
            return replace(ask, query=_query(ask.query, name, _text(inputs.value())))
        if roll < 0.45:
            name = inputs.random.choice(
                ("Content-Type", "Accept-Language", "Origin", "Cookie", "X-Request-Id", "Range")
            )
            return replace(ask, headers=((name, inputs.text()),))
        if ask.form:
            fields = dict(ask.body) if isinstance(ask.body, dict) else {}
            fields[inputs.random.choice((*self._fields, *fields))] = _text(inputs.value())
            return replace(ask, body=fields)
        return replace(ask, body=inputs.changed(ask.body if ask.body is not None else {}))

    async def _send(self, ask: Ask) -> Answer:
        data, kind = self._body(ask)
        headers = {**self._session, "Content-Type": kind, "Content-Length": str(len(data))}
        address = ".".join(str(self._inputs.random.randrange(1, 255)) for _ in range(4))
        return await call(self._service.app, ask, {**headers, **dict(ask.headers)}, data, address)

    def _body(self, ask: Ask) -> tuple[bytes, str]:
        if ask.body is None:
            return b"", "application/json"
        if ask.form and isinstance(ask.body, dict):
            fields = {_text(name): _text(value) for name, value in ask.body.items()}
            written = urlencode(fields, errors="surrogatepass").encode()
            damaged = self._inputs.random.random() < 0.1
            return self._inputs.changed_bytes(written) if damaged else written, "application/x-www-form-urlencoded"
        return self._inputs.json(ask.body), "application/json"


async def call(app: Any, ask: Ask, headers: Mapping[str, str], data: bytes, address: str) -> Answer:
    """Send one request as the server would hand it over (ASGI 3), and return the whole answer."""
    sent, messages, raw = False, list[dict[str, Any]](), ask.path.encode("ascii", "replace")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": ask.method, "scheme": "http",
        "path": _decoded(ask.path), "raw_path": raw, "query_string": ask.query.encode("ascii", "replace"),
        "root_path": "", "client": (address, 40000), "server": ("127.0.0.1", 80), "state": {},
        "headers": [(name.lower().encode("latin-1", "replace"), _header(value)) for name, value in headers.items()],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001  (the framework answers 500 and raises on; without answer it is one too)
        return Answer(500, "", _place(error).encode())
    if not messages:
        return Answer(499, "", b"")
    started = messages[0]
    location = next((value.decode("latin-1") for name, value in started["headers"] if name == b"location"), "")
    return Answer(started["status"], location, b"".join(message.get("body", b"") for message in messages[1:]))


def _place(error: Exception) -> str:
    """Return type and place of an error."""
    return " ".join(describe(error).values())


def _decoded(path: str) -> str:
    return unquote_to_bytes(path).decode("utf-8", "replace")


def _header(value: str) -> bytes:
    return value.encode("utf-8", "replace").replace(b"\r", b" ").replace(b"\n", b" ").replace(b"\x00", b" ")


def _query(query: str, name: str, value: str) -> str:
    added = urlencode({name: value}, errors="surrogatepass")
    return f"{query}&{added}" if query else added


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)[:2000]


def _form_fields() -> Sequence[str]:
    """Return the names of the fields of our own forms, from templates and the programs that read them."""
    files = [path for ending in ("html", "jinja", "py") for path in Path("services").rglob(f"*.{ending}")]
    found = {next(filter(None, names)) for path in files for names in _FORM_FIELD.findall(path.read_text("utf-8"))}
    return sorted(found)
