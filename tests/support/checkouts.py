"""Checkouts for tests, and all processes that name the folder of one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from deploy.local.paths import ROOT, STATE

SERVERS = {"beam.smp", "epmd", "mongod"}
SERVICES = {"services.intake", "services.lottery", "services.notifier", "services.vault"}


def _hears_interrupts() -> None:
    """Tests that a shell runs in the background inherit that Ctrl-C is ignored; a person's command does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Checkout:
    """A copy of the source with a state folder of its own; the Python packages and mongod are shared."""

    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path) -> "Checkout":
        for part in ("deploy", "services", "shared"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("package.json", "package-lock.json", "tsconfig.json"):
            shutil.copy(ROOT / file, folder / file)
        (folder / ".kuji").mkdir()
        if (STATE / "mongod").exists():
            (folder / ".kuji" / "mongod").symlink_to(STATE / "mongod")
        return cls(folder)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """`./kuji COMMAND` in the background; what it says is in `<folder>/said`."""
        with (self.folder / "said").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "deploy.cli", *command],
                cwd="/",
                env={**os.environ, "PYTHONPATH": str(self.folder)},
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=_hears_interrupts,  # noqa: PLW1509  (one signal, no thread of ours)
            )
        self.started.append(process)
        return process

    def kuji(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", *command],
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            check=False,
            capture_output=True,
            text=True,
            timeout=150,
        )

    def status(self) -> dict[str, dict[str, Any]]:
        """Return the rows of `./kuji status`, by part."""
        rows: list[dict[str, Any]] = json.loads(self.kuji("status", "--json").stdout)
        return {row["part"]: row for row in rows}

    def processes(self) -> dict[int, str]:
        """Return the processes that name this folder in command, working folder or environment, by pid."""
        found = {}
        for process in psutil.process_iter():
            try:
                named = [*process.cmdline(), process.cwd(), *process.environ().values()]
                if process.status() != psutil.STATUS_ZOMBIE and any(str(self.folder) in text for text in named):
                    found[process.pid] = _name(process)
            except psutil.Error:
                continue
        return found

    def runs_all(self) -> bool:
        return set(self.processes().values()) >= SERVERS | SERVICES

    def await_quiet(self, timeout_s: float = 120.0) -> None:
        """Wait until no process of this folder is left. Fails the test with the names of those that are."""
        ends = time.monotonic() + timeout_s
        while (left := self.processes()) and time.monotonic() < ends:
            time.sleep(0.05)
        assert left == {}

    def folders(self) -> list[Path]:
        """State of installations that is on the disk."""
        return [path for path in (self.folder / ".kuji" / "run").glob("*") if path.is_dir()]

    def clear(self) -> None:
        """Whatever a failed test left: exactly the processes of this folder."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        for process in self.started:
            process.wait(timeout=20)


def _name(process: psutil.Process) -> str:
    """`services.vault` rather than `python`."""
    module = [word for word in process.cmdline() if word.startswith(("services.", "deploy."))]
    return module[0] if module else process.name()
