"""Sign-in of this terminal: its cookies, kept beside the installation's record and readable by its user only."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shared.errors import KujiError
from shared.files import write_atomic
from shared.json_types import JsonObject

if TYPE_CHECKING:
    import httpx

_LONGEST_S: Final = 60.0
_FILE: Final = "terminal-session.json"
_PASSED_ON: Final = ("lottery",)
"""Services that know signed-in people; calls to the others still carry the service's token."""


class SignInOverError(KujiError):
    """Raised when the person's session at the vault has ended."""


class TerminalSession:
    """`folder`: of the installation's record. `services`: the record's endpoints by service."""

    def __init__(self, folder: Path, services: JsonObject) -> None:
        self._file, self._services = folder / _FILE, services

    def keep(self, vault: dict[str, str]) -> None:
        """Keep the cookie of a new session at the vault; sessions of another person are forgotten."""
        self._write({"vault": vault})

    def headers(self, service: str) -> dict[str, str]:
        """Return the headers with which this terminal is a signed-in person at `service`; none where it is not.

        Raises SignInOverError: a command never falls back to the token by itself.
        """
        kept = self._read()
        if "vault" not in kept or service not in _PASSED_ON:
            return {}
        if service not in kept:
            kept[service] = self._pass_on(service, kept["vault"])
            self._write(kept)
        return self._headers(service, kept[service])

    def end(self) -> None:
        """End the session at the vault, and forget all cookies."""
        kept = self._read()
        if "vault" in kept:
            self.request("vault", "POST", "/sign-out", kept["vault"])
        self._file.unlink(missing_ok=True)

    def forget(self, service: str) -> None:
        """Forget a session that the service has ended, so that the next call asks the vault again."""
        self._write({name: cookies for name, cookies in self._read().items() if name != service})

    def request(
        self, service: str, method: str, path: str, cookies: dict[str, str], body: JsonObject | None = None
    ) -> "httpx.Response":
        """Call a service under its own host name, which programs do not resolve (docs/protocols.md §8)."""
        import httpx  # noqa: PLC0415  (a tenth of a second that only calls need)

        address = f"{self._services[service]['url']}{path}"
        return httpx.request(method, address, headers=self._headers(service, cookies), json=body, timeout=_LONGEST_S)

    def _pass_on(self, service: str, vault: dict[str, str]) -> dict[str, str]:
        """Return the service's cookies after the way of a browser: service, vault, service. Raises SignInOverError."""
        asked = self.request(service, "GET", "/sign-in", {})
        at_vault = self.request("vault", "GET", _path(asked), vault)
        back = self.request(service, "GET", _path(at_vault), dict(asked.cookies.items()))
        cookies = {name: value for name, value in back.cookies.items() if name.endswith("kuji-session")}
        if not cookies:
            raise SignInOverError("your sign-in at this terminal is over; run ./kuji sign-in again, or ./kuji sign-out")
        return cookies

    def _headers(self, service: str, cookies: dict[str, str]) -> dict[str, str]:
        pages = self._services[service]["pages"]
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
        return {"Host": urlsplit(pages).netloc, "Origin": pages, **sent}

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            kept: dict[str, dict[str, str]] = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return kept

    def _write(self, kept: dict[str, dict[str, str]]) -> None:
        write_atomic(self._file, json.dumps(kept).encode())


def _path(answer: "httpx.Response") -> str:
    """Return path and query of the address to which an answer redirects."""
    parts = urlsplit(answer.headers.get("location", "/"))
    return f"{parts.path}?{parts.query}"
