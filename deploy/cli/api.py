"""Calls to the installation that `./kuji up` started, or to one named by KUJI_INSTALLATION (a JSON file)."""

import json
import os
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deploy.cli.terminal_session import TerminalSession
from deploy.local.paths import RUNS
from deploy.people.browser import ServiceAddress
from shared.errors import KujiError
from shared.json_types import JsonObject

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class NotRunningError(KujiError):
    """Raised when there is no installation to talk to."""


class CallRefusedError(KujiError):
    """Raised when a service refuses a call; the text holds the problem's name and its advice."""


RECORD = RUNS / "up" / "installation.json"


def record_file() -> Path:
    return Path(os.environ.get("KUJI_INSTALLATION", RECORD))


def read_record() -> JsonObject:
    """Return the record of the installation: addresses and token files by service. Raises NotRunningError."""
    try:
        record: JsonObject = json.loads(record_file().read_text("utf-8"))
    except FileNotFoundError:
        raise NotRunningError("nothing is running here; start it with ./kuji up") from None
    return record


def addresses() -> dict[str, ServiceAddress]:
    """Return the addresses of the services. Raises NotRunningError."""
    return {name: ServiceAddress.read(endpoint) for name, endpoint in read_record()["services"].items()}


def terminal_session() -> TerminalSession:
    """Return the sign-in of this terminal at the installation. Raises NotRunningError."""
    return TerminalSession(record_file().parent, read_record()["services"])


def call(service: str, method: str, path: str, body: JsonObject | None = None) -> "httpx.Response":
    """Make a call for the person who signed in at this terminal; `path` begins after `/v1/`.

    Raises NotSignedInError, NotRunningError, CallRefusedError.
    """
    headers = _connected(service, lambda: terminal_session().headers(service))
    answer = _request(service, method, path, body, headers)
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        terminal_session().forget(service)
        raise CallRefusedError(f"{service}: your session is over; run the command again, or ./kuji sign-in first")
    return _accepted(service, answer)


def call_public(service: str, path: str) -> "httpx.Response":
    """Get what everybody may see; nobody has to sign in. Raises NotRunningError, CallRefusedError."""
    return _accepted(service, _request(service, "GET", path, None, {}))


def call_with_token(
    service: str, method: str, path: str, token_file: str, body: JsonObject | None = None
) -> "httpx.Response":
    """Make a call of a program, with the token of a file. Raises NotRunningError, CallRefusedError."""
    token = Path(token_file).read_text("utf-8").strip()
    return _accepted(service, _request(service, method, path, body, {"Authorization": f"Bearer {token}"}))


def _request(
    service: str, method: str, path: str, body: JsonObject | None, headers: Mapping[str, str]
) -> "httpx.Response":
    import httpx  # noqa: PLC0415  (a tenth of a second that only calls need)

    address = f"{read_record()['services'][service]['url']}/v1/{path}"
    is_encrypted = address.startswith("https:")  # else a proxy that the environment names would read the session

    def request() -> httpx.Response:
        return httpx.request(method, address, json=body, headers=headers, timeout=60, trust_env=is_encrypted)

    return _connected(service, request)


def _connected(service: str, request: Callable[[], T]) -> T:
    """Return the result of a request. Raises NotRunningError where no service answers."""
    import httpx  # noqa: PLC0415  (as above)

    try:
        return request()
    except httpx.TransportError as error:
        raise NotRunningError(f"{service} does not answer ({type(error).__name__}); see ./kuji status") from None


def _accepted(service: str, answer: "httpx.Response") -> "httpx.Response":
    """Return the answer. Raises CallRefusedError where it is an error."""
    if answer.is_error:
        raise CallRefusedError(f"{service}: {_describe_refusal(answer)}")
    return answer


def ask(service: str, method: str, path: str, body: JsonObject | None = None) -> Any:
    """Make a staff call and return the JSON of the answer."""
    return call(service, method, path, body).json()


def ask_all(service: str, path: str, name: str) -> list[Any]:
    """Return the rows of all pages of a list; `name` is the member that holds them."""
    answer = ask(service, "GET", path)
    rows: list[Any] = answer[name]
    while answer["next"] is not None:
        answer = ask(service, "GET", f"{path}{'&' if '?' in path else '?'}after={answer['next']}")
        rows += answer[name]
    return rows


def campaign_or_only(campaign: str | None) -> str:
    """Return the named campaign, or the only one of the installation. Raises NotRunningError."""
    known: list[str] = read_record()["campaigns"]
    if campaign is None and len(known) == 1:
        return known[0]
    if campaign not in known:
        raise NotRunningError(f"name one of the campaigns with --campaign: {', '.join(known)}")
    return campaign


def _describe_refusal(answer: "httpx.Response") -> str:
    try:
        problem = answer.json()
        name = str(problem["type"]).rpartition(":")[2]
        return f"{name}: {problem.get('detail_en') or ''} {problem.get('detail', '')}".strip()
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
