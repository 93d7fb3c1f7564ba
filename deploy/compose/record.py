"""Record of a compose installation's published addresses, for the command line (`KUJI_INSTALLATION`)."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from deploy.compose.front import Front
from shared.campaign import load_campaigns
from shared.files import write_atomic

PORTS = {"intake": 8101, "lottery": 8102, "notifier": 8103, "vault": 8104}
"""As docker-compose.yml publishes them unless KUJI_INTAKE_PORT and so on say otherwise."""

APPROVE_PORT = 8114
"""Port of the vault's listener for approvals, in its container and, unless KUJI_APPROVE_PORT says otherwise, here."""


def url(service: str, environment: Mapping[str, str] = os.environ) -> str:
    return f"http://127.0.0.1:{environment.get(f'KUJI_{service.upper()}_PORT', PORTS[service])}"


def origin(service: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the service's pages; browsers resolve these names to this machine (RFC 6761 §6.3)."""
    return f"http://{service}.localhost:{environment.get(f'KUJI_{service.upper()}_PORT', PORTS[service])}"


def approve_origin(environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the vault's listener for approvals: its host name, another port."""
    return f"http://vault.localhost:{environment.get('KUJI_APPROVE_PORT', APPROVE_PORT)}"


def token_file(folder: Path, service: str) -> Path:
    return folder / service / "ops-token"


def pages(folder: Path, service: str) -> str:
    """Return the address of the service's pages: behind the front where there is one."""
    front = Front.read(folder)
    return origin(service) if front is None else front.origin(service)


def setup_token_file(folder: Path) -> Path:
    """Return the file with the token that makes the first two accounts."""
    return folder / "vault" / "setup-token"


def write(folder: Path, campaigns: Path, clock_file: Path | None = None) -> Path:
    """Write the record that staff commands read; it holds no secret. `campaigns`: folder that the containers mount."""
    path = folder / "installation.json"
    record = {
        "v": 1,
        "campaigns": [str(name) for name in sorted(load_campaigns(campaigns))],
        "campaigns_dir": str(campaigns),
        "clock_file": str(clock_file) if clock_file else None,
        "services": {
            name: {"url": url(name), "pages": pages(folder, name), "token_file": str(token_file(folder, name))}
            for name in PORTS
        },
        "paper_token_file": str(folder / "intake" / "paper-token"),
        "setup_token_file": str(setup_token_file(folder)),
        "servers": {},
    }
    write_atomic(path, json.dumps(record, ensure_ascii=False).encode())
    return path
