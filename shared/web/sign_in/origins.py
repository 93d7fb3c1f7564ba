"""Origins of the services' staff pages, each with a host name of its own: cookies of one host reach all its ports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote, urlsplit

from fastapi import Request

from shared.errors import ConfigurationError
from shared.web.problems import problem


@dataclass(frozen=True)
class Origin:
    """Origin of a service's pages (RFC 6454), for example `http://vault.localhost:8104`. `host` has no port."""

    text: str
    host: str
    netloc: str
    is_secure: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise ConfigurationError unless the text is `http(s)://host[:port]` and nothing else."""
        parts = urlsplit(text)
        if (
            parts.scheme not in {"http", "https"}
            or parts.hostname is None
            or text != f"{parts.scheme}://{parts.netloc}"
        ):
            raise ConfigurationError("KUJI_ORIGINS holds something that is no origin; write http(s)://host[:port]")
        return cls(text, parts.hostname, parts.netloc, parts.scheme == "https")

    def cookie(self, name: str) -> str:
        """Return the cookie's name: with `__Host-` on HTTPS, where browsers then bind it to this host (RFC 6265bis)."""
        return f"__Host-{name}" if self.is_secure else name


def parse_origins(origins: Mapping[str, str], own: str) -> dict[str, Origin]:
    """Return the origins by service. Raises ConfigurationError where `own` shares its host name with another."""
    parsed = {service: Origin.parse(text) for service, text in origins.items()}
    if own not in parsed:
        raise ConfigurationError(f"KUJI_ORIGINS does not name {own}; add the address of its own pages")
    shared_with = [name for name, origin in parsed.items() if name != own and origin.host == parsed[own].host]
    if shared_with:
        raise ConfigurationError(
            f"KUJI_ORIGINS gives {own} the host name of {shared_with[0]}, which would see its cookies; "
            "give every service a host name of its own"
        )
    return parsed


_RAW: Final = "%/?:@!$&'()*+,;=-._~"
"""Characters of a query as it was sent (RFC 3986 §3.4); others, which some servers let through, are encoded."""


def require_host(origin: Origin, request: Request) -> None:
    """Redirect a page asked for under another host name (307), and refuse anything else under it (421)."""
    if request.headers.get("host") == origin.netloc:
        return
    if request.method in {"GET", "HEAD"}:
        query = f"?{quote(request.url.query, safe=_RAW)}" if request.url.query else ""
        address = f"{origin.text}{quote(request.scope['path'], safe='/')}{query}"
        raise problem(
            "other-host", 307, "別のアドレスです", "正しいアドレスを開きます。", headers={"Location": address}
        )
    raise problem("other-host", 421, "別のアドレスです", "担当者の画面を正しいアドレスで開いてください。")


def require_own_page(origin: Origin, request: Request) -> None:
    """Refuse what another site's form or script sends in a signed-in person's name (CSRF)."""
    if request.headers.get("origin") != origin.text:
        raise problem(
            "foreign-origin",
            403,
            "この画面からは実行できません",
            "担当者の画面を開き直してください。",
            en="Requests of other sites are refused; open the staff page again.",
        )
