"""Folders of running installations below `.kuji/run`: each names its owner, so that installations
left by a crash can be told from running ones, ended and removed.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.processes import Watchdog, kill_group, started_at
from shared.files import write_atomic

_OWNER = "owner.json"
_PID_FILE = "processes"


def make(runs: Path, prefix: str) -> Path:
    """Make a folder for an installation of this process."""
    with _alone(runs):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=runs))
        claim(folder)
    return folder


def claim(folder: Path) -> None:
    """Record this process as the owner of `folder`."""
    write_atomic(folder / _OWNER, json.dumps({"pid": os.getpid(), "started_at": started_at(os.getpid())}).encode())


def owner(folder: Path) -> int | None:
    """Return the pid of the folder's owner, if it still runs."""
    try:
        owner_record = json.loads((folder / _OWNER).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    pid = int(owner_record["pid"])
    return pid if started_at(pid) == owner_record["started_at"] else None


def watchdog(folder: Path) -> Watchdog:
    """Start a watchdog that lists its processes in `folder`, for `sweep` in case it is killed with its owner."""
    return Watchdog(folder / _PID_FILE)


def sweep(runs: Path) -> list[Path]:
    """End and remove every installation whose owner is gone. Returns their folders."""
    with _alone(runs):
        left = [folder for folder in sorted(runs.iterdir()) if folder.is_dir() and owner(folder) is None]
        for folder in left:
            _end(folder)
            shutil.rmtree(folder, ignore_errors=True)
    return left


def _end(folder: Path) -> None:
    """Kill exactly the recorded processes: a pid with another start time is another process."""
    pid_file = folder / _PID_FILE
    for line in pid_file.read_text().splitlines() if pid_file.exists() else ():
        pid, _, began = line.partition(" ")
        if started_at(int(pid)) == began:
            kill_group(int(pid))


@contextmanager
def _alone(runs: Path) -> Iterator[None]:
    """Hold the lock under which folders in `runs` are made and removed."""
    runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (runs / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
