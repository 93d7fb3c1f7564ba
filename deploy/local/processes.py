"""Child processes that never outlive their owner, whatever ends it.

Each child leads a process group of its own. A watchdog process holds the other end of a pipe: when the owner
ends in any way, even by SIGKILL, the pipe closes and the watchdog kills the groups that it watches.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from shared.errors import KujiError
from shared.files import PRIVATE


class LocalError(KujiError):
    """Raised when a part of the local installation fails; the text names it and shows the end of its log."""


class Watchdog:
    """Kills the watched groups when its owner is gone. `pid_file` lists them, in case the watchdog is killed itself."""

    def __init__(self, pid_file: Path | None = None) -> None:
        self._pid_file = pid_file
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WATCHDOG], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def watch(self, group: int) -> None:
        if self._pid_file is not None:
            with self._pid_file.open("a") as lines:
                lines.write(f"{group} {started_at(group)}\n")
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101  (opened above)
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()

    def close(self) -> None:
        """Let go: what is still watched is killed, which is nothing after an orderly end."""
        assert self._process.stdin is not None  # noqa: S101  (opened above)
        self._process.stdin.close()
        self._process.wait(timeout=10)


_WATCHDOG = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
groups = {}
for line in sys.stdin:
    groups[int(line[1:])] = line[0] == "+"
for group in [group for group in reversed(groups) if groups[group]]:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


_BEGIN_ON_GO = 'umask 077 && read -r go && exec "$0" "$@" </dev/null'


class Child:
    """One running program with its log; `ends` asks it to stop, then makes it."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, watchdog: Watchdog) -> None:
        self.name, self.log = name, log
        self._process, self._watchdog = process, watchdog

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: Path,
        watchdog: Watchdog,
        cwd: Path,
    ) -> Self:
        """Start `command`; output is appended to `log`. Raises LocalError when it is not there.

        The program begins only when the watchdog knows of it: an owner that is killed in between leaves nothing.
        """
        if shutil.which(command[0], path=env.get("PATH")) is None:
            raise LocalError(f"{name}: {command[0]} is not there, or may not be run")
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE), "ab") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _BEGIN_ON_GO, *(str(part) for part in command)],
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=cwd,
            )
        watchdog.watch(process.pid)
        assert process.stdin is not None  # noqa: S101  (opened above)
        with contextlib.suppress(BrokenPipeError), process.stdin as go:
            go.write(b"go\n")
        return cls(name, process, log, watchdog)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the end; return the exit status, or None if it still runs after `timeout_s` seconds."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, timeout_s: float = 10.0) -> None:
        """SIGTERM, then after `timeout_s` SIGKILL to its whole group; nothing of it is left afterwards."""
        self.signal(signal.SIGTERM)
        self.wait(timeout_s)
        self.kill()

    def kill(self) -> None:
        kill_group(self._process.pid)
        self._process.wait(timeout=10)
        self._watchdog.forget(self._process.pid)

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
        return "(no log)"

    def failed(self, what: str) -> LocalError:
        return LocalError(f"{self.name}: {what}. The end of {self.log}:\n{self.tail()}")


def kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def await_port(child: Child, port: int, *, timeout_s: float) -> None:
    """Wait until a process listens on loopback `port`. Raises LocalError if the child ends or time is up."""
    ends = time.monotonic() + timeout_s
    while not _listens(port):
        if not child.running:
            raise child.failed("ended while starting")
        if time.monotonic() > ends:
            raise child.failed(f"does not listen on port {port} after {timeout_s:.0f} s")
        time.sleep(0.05)


def await_closed(port: int, *, timeout_s: float = 10.0) -> None:
    """Wait until no process listens on `port`: a killed server releases it a moment later. Raises LocalError."""
    ends = time.monotonic() + timeout_s
    while _listens(port):
        if time.monotonic() > ends:
            raise LocalError(f"port {port} is still in use; end what holds it")
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def open_here(url: str, timeout_s: float) -> HTTPResponse:
    """Open an address of this machine, past a proxy that the environment names. Raises OSError."""
    answer: HTTPResponse = build_opener(ProxyHandler({})).open(url, timeout=timeout_s)
    return answer


def is_ready(url: str) -> bool:
    """Return True if the service at this address says that it is ready."""
    try:
        with open_here(f"{url}/health/ready", 2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (URLError, OSError):
        return False


def started_at(pid: int) -> str | None:
    """When process `pid` began (boot id and clock ticks since), or None where none runs.

    Pid and beginning name one process for good, also when the wall clock is set (proc(5), fields 3 and 22 of stat).
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, ticks = after_name[0], after_name[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None if state in "ZX" else f"{boot}/{ticks}"
