"""Settings of the TLS front: its host names, its certificate, and its address as each service sees it (ADR 32)."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from shared.errors import ConfigurationError
from shared.files import write_atomic

HOSTS: Final = {"intake": 6, "lottery": 14, "notifier": 22, "vault": 30}
"""Last part of the front's address on each service's network, as in docker-compose.yml."""

_DOMAIN: Final = re.compile(r"(?=.{1,200}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_FILE: Final = "front.env"
_HTTPS_PORT: Final = "443"
_APPROVE_PORT: Final = "8444"


@dataclass(frozen=True)
class Front:
    """`domain`: each service's pages have `https://<service>.<domain>`. `port`: the published one, 443 in general."""

    domain: str
    port: str = _HTTPS_PORT
    approve_port: str = _APPROVE_PORT

    @classmethod
    def of(cls, domain: str, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the front for a domain. Raises ConfigurationError for a text that is none."""
        if _DOMAIN.fullmatch(domain) is None:
            raise ConfigurationError("the domain of the front is no host name; write it as in kuji.example")
        https, approve = (
            environment.get(name, default).rpartition(":")[2]
            for name, default in (("KUJI_FRONT_HTTPS", _HTTPS_PORT), ("KUJI_FRONT_APPROVE", _APPROVE_PORT))
        )
        return cls(domain, https, approve)

    @classmethod
    def read(cls, folder: Path, environment: Mapping[str, str] = os.environ) -> Self | None:
        """Return the front of an installation; None where it was made without."""
        domain = _variables(folder / _FILE).get("KUJI_DOMAIN")
        return None if domain is None else cls.of(domain, environment)

    def origin(self, service: str) -> str:
        """Return the address of the service's pages."""
        port = "" if self.port == _HTTPS_PORT else f":{self.port}"
        return f"https://{service}.{self.domain}{port}"

    @property
    def approve_origin(self) -> str:
        """Address of the vault's listener for approvals: its host name, a port of its own."""
        return f"https://vault.{self.domain}:{self.approve_port}"

    def write(self, folder: Path) -> None:
        """Write what the front's container reads, and keep what was changed there by hand."""
        for name, mode in (("front", 0o755), ("front-data", 0o777)):
            (folder / name).mkdir(exist_ok=True)
            (folder / name).chmod(mode)
        kept = {
            "KUJI_TLS": "internal",
            "KUJI_STAFF_NETWORKS": "private_ranges",
            "KUJI_WARD_NETWORKS": "private_ranges",
            "XDG_DATA_HOME": "/data",
        }
        kept |= {"XDG_CONFIG_HOME": "/tmp", "HOME": "/tmp"}  # noqa: S108  (memory of the container)
        set_variables(folder / _FILE, {**kept, **_variables(folder / _FILE), "KUJI_DOMAIN": self.domain})


def trusted_address(service: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the front's address on the service's network: the only one whose headers the service believes."""
    return f"{environment.get('KUJI_FRONT_NET', '172.30.77')}.{HOSTS[service]}"


def mail_network(environment: Mapping[str, str] = os.environ) -> str:
    """Return the network of the mail server: the only one from which the vault takes delivery reports."""
    return f"{environment.get('KUJI_FRONT_NET', '172.30.77')}.32/29"


def set_variables(file: Path, values: Mapping[str, str]) -> None:
    """Set variables of an environment file; its other lines stay."""
    lines = {**_variables(file), **values}
    write_atomic(file, "".join(f"{name}={value}\n" for name, value in lines.items()).encode())


def add_variables(file: Path, values: Mapping[str, str]) -> None:
    """Set variables of an environment file that it does not set yet."""
    set_variables(file, {**values, **_variables(file)})


def _variables(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)
