"""A private clamd: the real daemon on a socket of its own, with a signature database of one line (no download)."""

import shutil
import socket
import time
from pathlib import Path
from typing import Final, Self

from deploy.local.processes import Child, Watchdog

EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless test file of all scanners (EICAR, 2003), in two parts so that no scanner stops at this file."""

_READY_S: Final = 20.0


class Clamd:
    """`start` and `stop` as often as a test likes; `url` is the same each time."""

    def __init__(self, home: Path, watchdog: Watchdog) -> None:
        self._home, self._watchdog = home, watchdog
        self._child: Child | None = None
        self._socket = home / "clamd.sock"
        signatures = home / "signatures"
        signatures.mkdir(parents=True)
        (signatures / "kuji.ndb").write_text(f"Kuji.Test.EICAR:0:*:{EICAR.hex()}\n", "ascii")
        self._config = home / "clamd.conf"
        self._config.write_text(
            f"LocalSocket {self._socket}\nDatabaseDirectory {signatures}\nTemporaryDirectory {home}\n"
            "Foreground yes\nFixStaleSocket yes\nConcurrentDatabaseReload no\nMaxThreads 2\n",
            "ascii",
        )

    @property
    def url(self) -> str:
        return f"unix:{self._socket}"

    def start(self) -> Self:
        program = shutil.which("clamd", path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert program is not None, "clamd is not there: ./kuji test installs clamav-daemon"
        command = [program, f"--config-file={self._config}"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        log = self._home / "clamd.log"
        self._child = Child.start("clamd", command, env=environment, log=log, watchdog=self._watchdog, cwd=self._home)
        ends = time.monotonic() + _READY_S
        while not self._answers():
            if not self._child.running or time.monotonic() > ends:
                raise self._child.failed("does not answer")
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(timeout_s=10)
            self._child = None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(2)
            try:
                asking.connect(str(self._socket))
                asking.sendall(b"zPING\0")
                return asking.recv(16) == b"PONG\0"
            except OSError:
                return False
