"""Settings of an edge tool: from its options, else from the environment. Read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, cast
from urllib.parse import urlsplit

from shared.errors import KujiError
from shared.hosts import is_this_machine

if TYPE_CHECKING:
    from shared.ids import CampaignId


_EDGE_FILE: Final = "/etc/kuji/edge.env"


class NotSetUpError(KujiError):
    """Raised when a setting is missing; the text names the variable."""


@dataclass(frozen=True)
class EdgeSettings:
    """`signing_key`: the vault's public key (base64url), learned on paper or by telephone, never from intake.

    `timeout_s`: time for which the tool offers a sealed paper to an intake that is away; then it ends, the paper stays.
    """

    intake_url: str
    campaign: CampaignId
    token: str = field(repr=False)
    signing_key: str
    spool: Path
    timeout_s: float = 60.0

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read `KUJI_INTAKE_URL`, `KUJI_CAMPAIGN`, `KUJI_PAPER_TOKEN_FILE`, `KUJI_SIGNING_KEY`, `KUJI_SPOOL`.

        A fax server hands its hooks no environment, so what is not there comes from /etc/kuji/edge.env (or
        KUJI_EDGE_FILE), lines of `NAME=value`. Raises NotSetUpError, also where the token would cross a network in the
        clear.
        """
        environment = {**_lines(Path(environment.get("KUJI_EDGE_FILE", _EDGE_FILE))), **environment}
        return cls(
            intake_url=_private(_needed(environment, "KUJI_INTAKE_URL")),
            campaign=cast("CampaignId", _needed(environment, "KUJI_CAMPAIGN")),
            token=_secret(Path(_needed(environment, "KUJI_PAPER_TOKEN_FILE"))),
            signing_key=_needed(environment, "KUJI_SIGNING_KEY"),
            spool=Path(environment.get("KUJI_SPOOL", "/var/spool/kuji")),
            timeout_s=float(environment.get("KUJI_PATIENCE_S", "60")),
        )


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise NotSetUpError(f"{name} is not set; see docs/operations.md, fax and post")
    return value


def _private(url: str) -> str:
    """Return an address that the token may go to: by TLS, or on this machine (R-S8)."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
        raise NotSetUpError("KUJI_INTAKE_URL would send the token in the clear to another machine; use https://")
    return url


def _lines(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}


def _secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise NotSetUpError(f"KUJI_PAPER_TOKEN_FILE cannot be read ({error.strerror})") from None
