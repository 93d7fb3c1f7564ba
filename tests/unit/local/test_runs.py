"""Installations left by a crash are ended, running ones are not; with real processes that sleep."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local import runs
from deploy.local.processes import started_at

Sleepers = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def sleeper() -> Iterator[Sleepers]:
    """Starts processes that lead a group of their own; all are gone at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["sleep", "60"], start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def left_by(folder: Path, owner: subprocess.Popen[bytes], *children: subprocess.Popen[bytes]) -> Path:
    """Make an installation whose owner was killed, with the file of its processes."""
    folder.mkdir()
    owner_record = {"pid": owner.pid, "started_at": started_at(owner.pid)}
    (folder / "owner.json").write_text(json.dumps(owner_record))
    (folder / "processes").write_text("".join(f"{child.pid} {started_at(child.pid)}\n" for child in children))
    owner.kill()
    owner.wait()
    return folder


def test_an_installation_of_this_process_is_its_own_and_is_not_swept(tmp_path: Path) -> None:
    folder = runs.make(tmp_path, "demo-")

    assert runs.owner(folder) == os.getpid()
    assert runs.sweep(tmp_path) == []
    assert folder.is_dir()


def test_two_installations_get_two_folders_that_other_users_may_not_read(tmp_path: Path) -> None:
    one, other = runs.make(tmp_path, "demo-"), runs.make(tmp_path, "demo-")

    assert one != other
    assert one.stat().st_mode & 0o777 == 0o700


def test_an_installation_of_a_killed_owner_is_ended_and_removed(tmp_path: Path, sleeper: Sleepers) -> None:
    child = sleeper()
    folder = left_by(tmp_path / "demo-x", sleeper(), child)

    assert runs.sweep(tmp_path) == [folder]
    assert child.wait(5) == -signal.SIGKILL
    assert not folder.exists()


def test_a_pid_that_now_belongs_to_another_process_is_spared(tmp_path: Path, sleeper: Sleepers) -> None:
    stranger = sleeper()
    folder = left_by(tmp_path / "demo-x", sleeper())
    (folder / "processes").write_text(f"{stranger.pid} another-boot/1\n")

    runs.sweep(tmp_path)

    assert stranger.poll() is None
    assert not folder.exists()


def test_a_folder_that_says_nothing_of_its_owner_is_swept(tmp_path: Path) -> None:
    (tmp_path / "demo-x").mkdir()
    (tmp_path / "demo-x" / "owner.json").write_text("not JSON")

    assert runs.sweep(tmp_path) == [tmp_path / "demo-x"]


def test_sweeping_reads_the_pid_file_of_a_watchdog(tmp_path: Path, sleeper: Sleepers) -> None:
    child, folder = sleeper(), tmp_path / "demo-x"
    folder.mkdir()
    with runs.watchdog(folder) as watchdog:
        watchdog.watch(child.pid)
        watchdog.forget(child.pid)
    assert child.poll() is None

    runs.sweep(tmp_path)

    assert child.wait(5) == -signal.SIGKILL


def test_a_process_that_ended_but_was_not_waited_for_does_not_count_as_running(sleeper: Sleepers) -> None:
    process = sleeper()
    assert started_at(process.pid) is not None
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    assert started_at(process.pid) is None


def test_the_beginning_of_a_process_stays_the_same_and_differs_from_others(sleeper: Sleepers) -> None:
    process = sleeper()

    assert started_at(process.pid) == started_at(process.pid)
    assert started_at(process.pid) != started_at(os.getpid())
    assert started_at(2**22 + 1) is None


def test_a_name_full_of_brackets_does_not_hide_the_beginning(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", "import time; time.sleep(60)"]) as process:
        assert started_at(process.pid) is not None
        process.kill()
