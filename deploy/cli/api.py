"""Staff calls to the installation that `./kuji up` started, or to one named by KUJI_INSTALLATION (a JSON file)."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.cli.terminal_session import TerminalSession
from deploy.local.paths import RUNS
from shared.errors import KujiError
from shared.json_types import JsonObject

if TYPE_CHECKING:
    import httpx


class NotRunningError(KujiError):
    """Raised when there is no installation to talk to."""


class CallRefusedError(KujiError):
    """Raised when a service refuses a call; the text holds the problem's name and its advice."""


_UNAUTHORIZED = 401

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


def terminal_session() -> TerminalSession:
    """Return the sign-in of this terminal at the installation. Raises NotRunningError."""
    return TerminalSession(record_file().parent, read_record()["services"])


def call(service: str, method: str, path: str, body: JsonObject | None = None) -> "httpx.Response":
    """Make a staff call; `path` begins after `/v1/`. Raises NotRunningError, CallRefusedError.

    It is made by the person who signed in at this terminal, where the service knows people; else with its token.
    """
    import httpx  # noqa: PLC0415  (a tenth of a second that only calls need)

    endpoint = read_record()["services"][service]
    token = Path(endpoint["token_file"]).read_text("utf-8").strip()
    signed_in = terminal_session().headers(service)
    headers = signed_in or {"Authorization": f"Bearer {token}"}
    try:
        answer = httpx.request(method, f"{endpoint['url']}/v1/{path}", json=body, headers=headers, timeout=60)
    except httpx.TransportError as error:
        raise NotRunningError(f"{service} does not answer ({type(error).__name__}); see ./kuji status") from None
    if signed_in and answer.status_code == _UNAUTHORIZED:
        terminal_session().forget(service)
        raise CallRefusedError(f"{service}: your session is over; run the command again, or ./kuji sign-in first")
    if answer.is_error:
        raise CallRefusedError(f"{service}: {_describe_refusal(answer)}")
    return answer


def ask(service: str, method: str, path: str, body: JsonObject | None = None) -> Any:
    """Make a staff call and return the JSON of the answer."""
    return call(service, method, path, body).json()


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
