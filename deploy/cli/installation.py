"""`./kuji up`, `down`, `status`: an installation in the background."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.api import RECORD, NotRunningError, read_record, record_file
from deploy.cli.output import AsJson, show
from deploy.local import runs
from deploy.local.paths import ROOT
from shared.json_types import JsonObject

_UP_S = 120.0
_DOWN_S = 45.0
HOME = RECORD.parent


def up(
    campaigns: Annotated[Path, typer.Option(help="Folder of campaign files.")] = Path("deploy/campaigns"),
    *,
    rehearsal: Annotated[
        bool,
        typer.Option(help="Play the campaigns at a moment when they take applications; see ./kuji rehearsal."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start servers and services in the background; they stay until ./kuji down."""
    if runs.owner(HOME) is None:
        _start(campaigns.resolve() if campaigns.is_absolute() else (ROOT / campaigns), rehearsal=rehearsal)
    status(as_json=as_json)
    _show_pages()


_PAGES = (
    ("intake", "/", "apply, for everybody"),
    ("lottery", "/verify", "verify the draw, for everybody"),
    ("lottery", "/withdraw", "give a place back, or answer an offer"),
    ("vault", "/desk/me", "own account, roster of handlers, for staff"),
    ("lottery", "/draws", "the draw, for staff"),
    ("lottery", "/reception", "reception on the day, for staff"),
)


def _show_pages() -> None:
    """Print the addresses of the pages, and how the first people sign in."""
    services = read_record()["services"]
    for service, path, what in _PAGES:
        typer.echo(f"{services[service]['pages']}{path:12} {what}", err=True)
    first = "invent makes invented ones" if read_record()["clock_file"] else "first makes the first two"
    typer.echo(f"staff need accounts: ./kuji people {first}", err=True)


def _prepare_rehearsal(campaigns: Path) -> list[str]:
    """Copy the campaigns as rehearsals and set the clock to an hour after the first window opens.

    Returns the further arguments of the daemon.
    """
    from deploy.demo.rehearsal import rehearsals_of  # noqa: PLC0415  (campaign files take a third of a second)
    from shared.clock import set_rehearsal_clock  # noqa: PLC0415

    first, *_ = rehearsals_of(campaigns, HOME / "campaigns")
    clock = HOME / "clock.json"
    set_rehearsal_clock(clock, first.window.opens + timedelta(hours=1))
    return ["--campaigns", str(HOME / "campaigns"), "--clock", str(clock)]


def _start(campaigns: Path, *, rehearsal: bool) -> None:
    runs.sweep(HOME.parent)
    os.umask(0o077)
    HOME.mkdir(mode=0o700)
    runs.claim(HOME)  # the daemon claims it from us
    played = _prepare_rehearsal(campaigns) if rehearsal else ["--campaigns", str(campaigns)]
    log = HOME / "daemon.log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.daemon", "--home", str(HOME), *played],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )
    typer.echo("starting RabbitMQ, MongoDB, mailbox, witness, intake, vault, lottery, notifier …", err=True)
    try:
        _await_record(daemon, log)
    except BaseException:
        _end(daemon)
        raise


def _await_record(daemon: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the daemon has written the installation's record. Raises LocalError with the end of its log."""
    from deploy.local.processes import LocalError  # noqa: PLC0415

    ends = time.monotonic() + _UP_S
    while not RECORD.exists():
        if daemon.poll() is not None:
            raise LocalError(f"it did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        if time.monotonic() > ends:
            raise LocalError(f"it did not start within {_UP_S:.0f} s; see {log}")
        time.sleep(0.1)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    """End the daemon of an interrupted start; only its logs are left behind."""
    daemon.terminate()
    try:
        daemon.wait(_DOWN_S)
    except subprocess.TimeoutExpired:
        daemon.kill()  # its watchdog ends the rest


def down() -> None:
    """Stop what ./kuji up started, remove its state, and clean up after runs that crashed."""
    daemon = runs.owner(HOME)
    if daemon is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(daemon, signal.SIGTERM)
        ends = time.monotonic() + _DOWN_S
        while runs.owner(HOME) is not None:
            if time.monotonic() > ends:
                os.kill(daemon, signal.SIGKILL)  # its watchdog ends the rest
                ends += _DOWN_S
            time.sleep(0.1)
    runs.sweep(HOME.parent)
    typer.echo("down")


def status(*, as_json: AsJson = False) -> None:
    """Show each process: address, health, waiting messages, parked and untrusted messages."""
    if record_file() == RECORD and runs.owner(HOME) is None:
        raise NotRunningError("nothing is running here; start it with ./kuji up")
    record = read_record()
    rows = [_service_row(name, endpoint) for name, endpoint in record["services"].items()]
    pids = record.get("processes", {})
    rows += [_server_row(name, address, pids.get(name)) for name, address in record.get("servers", {}).items()]
    show(
        rows,
        ("part", "address", "state", "waiting", "parked", "untrusted", "copies", "alarms"),
        as_json=as_json,
        empty="nothing is running",
    )


def _server_row(name: str, address: str, pid: int | None) -> JsonObject:
    from deploy.local.processes import started_at  # noqa: PLC0415

    state = "given" if pid is None else "running" if started_at(pid) else "away"
    return {"part": name, "address": address, "state": state}


def _service_row(name: str, endpoint: JsonObject) -> JsonObject:
    """Return the state of one service; `waiting` and `parked` are None while its broker is away."""
    import httpx  # noqa: PLC0415

    row = {
        "part": name,
        "address": endpoint["url"],
        "state": "away",
        "waiting": None,
        "parked": None,
        "untrusted": None,
        "copies": None,
        "alarms": None,
    }
    token = Path(endpoint["token_file"]).read_text("utf-8").strip()
    try:
        with httpx.Client(base_url=endpoint["url"], trust_env=False) as client:  # a proxy would read the token
            ready = client.get("/health/ready", timeout=5)
            queues = client.get("/v1/queues", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    except httpx.TransportError:
        return row
    row["state"] = "ready" if ready.is_success else "not ready"
    alarms: dict[str, int | None] = ready.json().get("alarms", {})
    row["untrusted"] = alarms.get("untrusted_messages")
    row["alarms"] = ", ".join(f"{alarm} {count}" for alarm, count in alarms.items() if count) or None
    if queues.is_success:
        depths: dict[str, int] = queues.json()["queues"]
        parked = depths.pop(f"{name}.parked")
        row |= {"waiting": sum(depths.values()), "parked": parked}
        row |= _copies(queues.json().get("copies"), row["state"])
    return row


def _copies(found: JsonObject | None, state: str) -> JsonObject:
    """Return the fewest copies of a queue and, one by one, those below the wish; nothing where one copy is enough."""
    if found is None:
        return {}
    wished, online = found["wished"], found["online"]
    short = {name: count for name, count in online.items() if count < wished}
    warning = {"state": f"{state}; too few copies: {', '.join(f'{n} {c}' for n, c in sorted(short.items()))}"}
    return {"copies": f"{min(online.values())} of {wished}", "copies_by_queue": online} | (warning if short else {})
