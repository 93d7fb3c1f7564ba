"""HAProxy with the example file of `deploy/cluster`: two instances of each service behind one address."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.paths import ROOT
from deploy.local.processes import Child, LocalError, Watchdog, await_port

_CONFIGURATION: Final = ROOT / "deploy" / "cluster" / "haproxy.cfg"
_FOLDER: Final = "/usr/sbin"
"""Folder of Debian's program, which is not on everybody's PATH."""


def start_haproxy(
    home: Path, ports: Mapping[str, int], instances: Mapping[tuple[str, int], int], watchdog: Watchdog
) -> Child:
    """Start HAProxy below `home` and wait until it listens. Raises LocalError, also where it is not installed.

    `ports`: service → port to listen on. `instances`: service and number → port of an instance.
    """
    path = f"{os.environ['PATH']}:{_FOLDER}"
    program = shutil.which("haproxy", path=path)
    if program is None:
        raise LocalError("HAProxy is not there: apt-get install haproxy (./kuji test does it), then run this again")
    addresses = {f"KUJI_{service.upper()}": f"127.0.0.1:{port}" for service, port in ports.items()}
    for (service, number), port in instances.items():
        addresses[f"KUJI_{service.upper()}_{number}"] = f"127.0.0.1:{port}"
    environment = {"PATH": path, "KUJI_HAPROXY_SOCKET": str(statistics_socket(home)), **addresses}
    child = Child.start(
        "haproxy", [program, "-db", "-f", str(_CONFIGURATION)], env=environment, log=home / "haproxy.log",
        watchdog=watchdog, cwd=home,
    )  # fmt: skip
    await_port(child, next(iter(ports.values())), timeout_s=20)
    return child


def statistics_socket(home: Path) -> Path:
    """Return the path of HAProxy's statistics."""
    return home / "haproxy.sock"
