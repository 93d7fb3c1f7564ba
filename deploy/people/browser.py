"""A browser without a screen: cookies of one person at each service, passed on from the vault as pages do.

Programs do not resolve `*.localhost`; they send each service its own host name instead (docs/protocols.md §8).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from shared.errors import KujiError
from shared.json_types import JsonObject

if TYPE_CHECKING:
    import httpx

LONGEST_S: Final = 60.0
Cookies = dict[str, str]


class SignInOverError(KujiError):
    """Raised when the person's session at the vault has ended."""


@dataclass(frozen=True)
class ServiceAddress:
    """Where a service answers (`url`), and the address of its pages, whose host name and Origin requests carry."""

    url: str
    pages: str

    @classmethod
    def read(cls, record: JsonObject) -> Self:
        """Read the service's part of an installation's record."""
        return cls(record["url"], record["pages"])


class StaffBrowser:
    """Cookies of one person. `cookies`: of earlier requests, by service."""

    def __init__(self, services: Mapping[str, ServiceAddress], cookies: Mapping[str, Cookies] | None = None) -> None:
        self._services = services
        self.cookies: dict[str, Cookies] = {name: dict(kept) for name, kept in (cookies or {}).items()}

    def request(
        self,
        service: str,
        method: str,
        path: str,
        *,
        body: JsonObject | None = None,
        form: Mapping[str, str] | None = None,
    ) -> "httpx.Response":
        """Make a request as the service's own page does, and keep the cookies of the answer."""
        import httpx  # noqa: PLC0415  (a tenth of a second that only calls need)

        address = self._services[service]
        sent = self._sent(service)
        is_encrypted = address.url.startswith("https:")  # else no certificates are loaded, which takes 20 ms
        answer = httpx.request(
            method, f"{address.url}{path}", headers=sent, json=body, data=form, timeout=LONGEST_S, verify=is_encrypted,
            trust_env=is_encrypted,  # without TLS a proxy that the environment names would read the password
        )  # fmt: skip
        self._keep(service, answer)
        return answer

    def headers(self, service: str) -> dict[str, str]:
        """Return the headers with which a program is this person at the service. Raises SignInOverError."""
        if not self.has_session(service):
            self._pass_on(service)
        return self._sent(service)

    def has_session(self, service: str) -> bool:
        """Return True if the service gave a session and has not ended it by an answer."""
        return any(name.endswith("kuji-session") for name in self.cookies.get(service, {}))

    def forget(self, service: str) -> None:
        """Forget a session that the service has ended: the next request asks the vault again."""
        self.cookies.pop(service, None)

    def _pass_on(self, service: str) -> None:
        """Take the way of a browser: service, vault, service."""
        if service != "vault" and self.has_session("vault"):
            asked = self.request(service, "GET", "/sign-in")
            at_vault = self.request("vault", "GET", _path(asked))
            self.request(service, "GET", _path(at_vault))
        if not self.has_session(service):
            raise SignInOverError(f"the sign-in is over ({service} gave no session); sign in again")

    def _sent(self, service: str) -> dict[str, str]:
        cookies = self.cookies.get(service, {})
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
        pages = self._services[service].pages
        return {"Host": urlsplit(pages).netloc, "Origin": pages, **sent}

    def _keep(self, service: str, answer: "httpx.Response") -> None:
        jar = self.cookies.setdefault(service, {})
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if value.strip('"') and answer.status_code < HTTPStatus.BAD_REQUEST:
                jar[name] = value
            else:
                jar.pop(name, None)


def _path(answer: "httpx.Response") -> str:
    """Return path and query of the address to which an answer redirects."""
    parts = urlsplit(answer.headers.get("location", "/"))
    return f"{parts.path}?{parts.query}"
