"""`./kuji up`, `down`, `status`: an installation that stays until it is told to go."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from deploy.cli.doors import RECORD, NotRunning, read_record
from deploy.cli.showing import AsJson, show
from deploy.local.processes import LocalError, kill_group, started_at
from deploy.local.servers import HOUSE, ROOT

_UP_S = 120.0
_DOWN_S = 45.0
HOME = RECORD.parent


def up(
    campaigns: Annotated[Path, typer.Option(help="Folder of campaign files.")] = Path("deploy/campaigns"),
    *,
    as_json: AsJson = False,
) -> None:
    """Start servers and services in the background; they stay until ./kuji down."""
    if _keeper() is None:
        _start(campaigns.resolve() if campaigns.is_absolute() else (ROOT / campaigns))
    status(as_json=as_json)


def _start(campaigns: Path) -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True, mode=0o700)
    log = HOME / "keeper.log"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.keeper", "--home", str(HOME), "--campaigns", str(campaigns)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )
    ends = time.monotonic() + _UP_S
    typer.echo("starting RabbitMQ, MongoDB, mailbox, intake, vault, lottery, notifier …", err=True)
    while not RECORD.exists():
        if keeper.poll() is not None:
            raise LocalError(f"it did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        if time.monotonic() > ends:
            keeper.terminate()
            raise LocalError(f"it did not start within {_UP_S:.0f} s; see {log}")
        time.sleep(0.1)


def down() -> None:
    """Stop what ./kuji up started, remove its state, and clean up after runs that crashed."""
    keeper = _keeper()
    if keeper is not None:
        os.kill(keeper, signal.SIGTERM)
        ends = time.monotonic() + _DOWN_S
        while _keeper() is not None and time.monotonic() < ends:
            time.sleep(0.1)
    for group in _groups_left():
        kill_group(group)
    shutil.rmtree(HOUSE / "run", ignore_errors=True)
    typer.echo("down")


def status(*, as_json: AsJson = False) -> None:
    """Each process: address, health, messages waiting."""
    if _keeper() is None:
        raise NotRunning("nothing is running here; start it with ./kuji up")
    record = read_record()
    rows = [_service_row(name, door) for name, door in record["services"].items()]
    rows += [{"part": name, "address": address, "state": "given"} for name, address in record["servers"].items()]
    show(rows, ("part", "address", "state", "parked"), as_json=as_json, empty="nothing is running")


def _service_row(name: str, door: Mapping[str, Any]) -> dict[str, Any]:
    row = {"part": name, "address": door["url"], "state": "away", "parked": None}
    try:
        ready = httpx.get(f"{door['url']}/health/ready", timeout=5)
        token = Path(door["token_file"]).read_text("utf-8").strip()
        parked = httpx.get(f"{door['url']}/v1/parked", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    except httpx.TransportError:
        return row
    waiting = len(parked.json()["messages"]) if parked.is_success else None
    return {**row, "state": "ready" if ready.is_success else "waiting", "parked": waiting}


def _keeper() -> int | None:
    """The pid of the process that keeps the installation, if it is the one that was recorded."""
    try:
        kept = json.loads((HOME / "keeper.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    alive = started_at(kept["pid"]) == kept["started_at"]
    return int(kept["pid"]) if alive else None


def _groups_left() -> list[int]:
    """Process groups that the record names and that are still the same processes."""
    try:
        record = json.loads(RECORD.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [int(pid) for pid, began in record["processes"].items() if started_at(int(pid)) == began]
