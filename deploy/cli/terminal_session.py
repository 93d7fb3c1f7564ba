"""Sign-in of this terminal: its cookies, kept beside the installation's record and readable by its user only."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.people.browser import Cookies, ServiceAddress, SignInOverError, StaffBrowser
from shared.errors import KujiError
from shared.files import write_atomic
from shared.json_types import JsonObject

if TYPE_CHECKING:
    import httpx

_FILE: Final = "terminal-session.json"


class NotSignedInError(KujiError):
    """Raised when no person is signed in at this terminal."""


class TerminalSession:
    """`folder`: of the installation's record. `services`: the record's endpoints by service."""

    def __init__(self, folder: Path, services: JsonObject) -> None:
        self._file = folder / _FILE
        self._services = {name: ServiceAddress.read(endpoint) for name, endpoint in services.items()}

    def take_code(self, code: str) -> "httpx.Response":
        """Exchange the code of the vault's page for a session, and keep it if the vault gives one."""
        browser = StaffBrowser(self._services)
        answer = browser.request("vault", "POST", "/sign-in/terminal", body={"code": code})
        if answer.is_success:
            self.keep(browser)
        return answer

    def keep(self, browser: StaffBrowser) -> None:
        """Keep the cookies of a person who signed in; sessions of another person are forgotten."""
        self._write(browser.cookies)

    def headers(self, service: str) -> dict[str, str]:
        """Return the headers with which this terminal is a signed-in person. Raises NotSignedInError."""
        browser = StaffBrowser(self._services, self._read())
        try:
            headers = browser.headers(service)
        except SignInOverError:
            raise NotSignedInError("you are not signed in at this terminal; run ./kuji sign-in") from None
        self._write(browser.cookies)
        return headers

    def end(self) -> None:
        """End the session at the vault, and forget all cookies."""
        browser = StaffBrowser(self._services, self._read())
        if browser.cookies.get("vault"):
            browser.request("vault", "POST", "/sign-out", form={})
        self._file.unlink(missing_ok=True)

    def forget(self, service: str) -> None:
        """Forget a session that the service has ended, so that the next call asks the vault again."""
        browser = StaffBrowser(self._services, self._read())
        browser.forget(service)
        self._write(browser.cookies)

    def _read(self) -> dict[str, Cookies]:
        try:
            kept: dict[str, Cookies] = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return kept

    def _write(self, kept: dict[str, Cookies]) -> None:
        write_atomic(self._file, json.dumps(kept).encode())
