"""Children that never outlive their owner, shown on small real programs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.paths import ROOT
from deploy.local.ports import free_ports
from deploy.local.processes import Child, LocalError, Watchdog, await_port, started_at

PLAIN = {"PATH": os.environ["PATH"]}
OWNER = """
import os, signal, sys
from pathlib import Path
from deploy.local.processes import Child, Watchdog

class Cut(Watchdog):
    def watch(self, group):
        {before}
        super().watch(group)

folder = Path(sys.argv[1])
child = Child.start(
    "child", ["sh", "-c", "touch begun; sleep 60"], env={{"PATH": os.environ["PATH"]}}, log=folder / "log",
    watchdog=Cut(), cwd=folder,
)
while not (folder / "begun").exists():
    pass
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_owner(folder: Path, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """Run an owner that kills itself after its child's start, or just before the watchdog knows the child."""
    return subprocess.run(
        [sys.executable, "-c", OWNER.format(before=before), str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )


def gone(pid: int) -> bool:
    ends = time.monotonic() + 5
    while started_at(pid) is not None and time.monotonic() < ends:
        time.sleep(0.02)
    return started_at(pid) is None


def started(watchdog: Watchdog, folder: Path, *command: str) -> Child:
    return Child.start("thing", command, env=PLAIN, log=folder / "log", watchdog=watchdog, cwd=folder)


def test_a_killed_owner_takes_its_children_along(tmp_path: Path) -> None:
    owner = killed_owner(tmp_path)

    assert gone(int(owner.stdout))


def test_an_owner_killed_before_its_watchdog_knows_never_lets_the_program_begin(tmp_path: Path) -> None:
    killed_owner(tmp_path, before="os.kill(os.getpid(), signal.SIGKILL)")

    time.sleep(0.3)
    assert not (tmp_path / "begun").exists()


def test_closing_the_watchdog_ends_watched_processes(tmp_path: Path) -> None:
    with Watchdog() as watchdog:
        child = started(watchdog, tmp_path, "sleep", "60")

    assert child.wait(5) is not None


def test_stopping_ends_grandchildren_and_programs_that_do_not_listen(tmp_path: Path) -> None:
    with Watchdog() as watchdog:
        child = started(
            watchdog, tmp_path, "sh", "-c", "trap '' TERM; sleep 60 & echo $! > pid; while :; do wait; done"
        )
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
            time.sleep(0.02)

        child.stop(timeout_s=0.2)

        assert not child.running
        assert gone(int((tmp_path / "pid").read_text()))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with Watchdog() as watchdog, pytest.raises(LocalError, match="thing: no-such-program is not there"):
        started(watchdog, tmp_path, "no-such-program")


def test_a_child_that_ends_while_starting_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with Watchdog() as watchdog:
        child = started(watchdog, tmp_path, "sh", "-c", "echo the disk is full; exit 3")

        with pytest.raises(LocalError, match=r"thing: ended while starting(.|\n)*the disk is full"):
            await_port(child, free_ports(1)[0], timeout_s=10)

        assert child.wait(5) == 3


def test_a_child_that_listens_nowhere_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with Watchdog() as watchdog:
        child = started(watchdog, tmp_path, "sleep", "60")

        with pytest.raises(LocalError, match="does not listen"):
            await_port(child, free_ports(1)[0], timeout_s=0.1)

        child.kill()


def test_arguments_reach_the_program_as_they_are(tmp_path: Path) -> None:
    with Watchdog() as watchdog:
        child = started(watchdog, tmp_path, "printf", "%s|", "a b", "", '$HOME "q"')

        assert child.wait(5) == 0
        assert child.tail() == 'a b||$HOME "q"|'


def test_ports_requested_in_one_call_all_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_the_ports_are_none_that_the_system_gives_to_outgoing_connections() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    assert max(free_ports(50)) < first
