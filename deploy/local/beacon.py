"""Run the beacon of a rehearsal beside the services of a local stack."""

import os
import sys
from pathlib import Path

from deploy.local.paths import ROOT
from deploy.local.ports import is_free
from deploy.local.processes import Child, LocalError, Watchdog
from deploy.relay.rehearsal import RehearsalRelay


def start_beacon(campaigns: Path, clock: Path | None, log: Path, watchdog: Watchdog) -> Child | None:
    """Start the relay beside the folder `campaigns`; return None where there is none, or no rehearsal's clock.

    Raises LocalError where its port is taken: the campaign files name the port.
    """
    found = RehearsalRelay.find(campaigns)
    if found is None or clock is None:
        return None
    if not is_free(found.port):
        folder = found.key_file.parent
        raise LocalError(f"port {found.port} of the rehearsal's beacon is taken; remove {folder} and start again")
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    times = ["--genesis", str(found.schedule.genesis), "--period", str(found.schedule.period)]
    files = ["--key", str(found.key_file), "--clock", str(clock), "--port", str(found.port)]
    return Child.start(
        "relay",
        [sys.executable, "-m", "deploy.relay", *files, *times],
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        log=log,
        watchdog=watchdog,
        cwd=ROOT,
    )
