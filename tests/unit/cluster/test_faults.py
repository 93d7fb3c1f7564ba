"""Faults and watches of the suite for clusters: what did not come back, or was never there, is said."""

import http.server
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.ports import free_ports
from deploy.local.processes import LocalError
from tests.cluster import faults
from tests.cluster.faults import Faults, Found, Target
from tests.cluster.watch import Steps, Watch
from tests.support.waiting import block_until


@pytest.fixture(autouse=True)
def short_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "FROZEN_S", 60.0)
    monkeypatch.setattr(faults, "AWAY_S", 0.05)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield running
    running.kill()
    running.wait(10)


def finding(process: subprocess.Popen[bytes], repair: Callable[[], None]) -> Callable[[Target], Found]:
    return lambda _: ([process.pid], repair)


def test_what_was_killed_is_brought_back_before_the_play_goes_on(process: subprocess.Popen[bytes]) -> None:
    repaired = threading.Event()
    with Faults(finding(process, repaired.set), ("database",), "kill") as struck:
        struck.strike_soon(0)
        struck.await_repair()
    assert process.wait(10) == -signal.SIGKILL
    assert repaired.is_set()


def test_a_repair_that_fails_is_an_error_with_its_reason(process: subprocess.Popen[bytes]) -> None:
    def fail() -> None:
        raise LocalError("no member became primary")

    with Faults(finding(process, fail), ("database",), "kill") as struck:
        struck.strike_soon(0)
        with pytest.raises(LocalError, match="no member became primary"):
            struck.await_repair()


def test_a_repair_that_does_not_end_is_not_taken_for_done(process: subprocess.Popen[bytes]) -> None:
    going_on = threading.Event()
    with Faults(finding(process, lambda: going_on.wait(60) and None), ("broker",), "kill") as struck:
        struck.strike_soon(0)
        try:
            with pytest.raises(LocalError, match="does not run again"):
                struck.await_repair(within_s=0.5)
        finally:
            going_on.set()


def test_a_play_that_ends_early_leaves_nothing_frozen_and_strikes_nothing_later(
    process: subprocess.Popen[bytes],
) -> None:
    with Faults(finding(process, lambda: None), ("broker",), "stop") as struck:
        struck.strike_soon(0)
        block_until(lambda: state_of(process) == "T")
    block_until(lambda: state_of(process) != "T")
    with Faults(finding(process, lambda: None), ("broker",), "kill") as late:
        late.strike_soon(30)
    assert late.struck is None
    assert process.poll() is None


def state_of(process: subprocess.Popen[bytes]) -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


@contextmanager
def ready_service(*, store: bool = True) -> Iterator[int]:
    checks = {"broker": True, "store": store}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"checks": checks}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_service_that_never_is_ready_counts_as_a_gap_from_the_first_to_the_last_moment() -> None:
    (nothing,) = free_ports(1)
    with (
        ready_service() as ready,
        Watch({("vault", 1): ready, ("intake", 1): nothing, ("intake", 2): nothing}) as watch,
    ):
        time.sleep(1.5)
    assert watch.gaps["intake"] >= 1.5
    assert watch.gaps["vault"] < 1.5


def test_a_gap_says_which_check_failed_meanwhile() -> None:
    with ready_service(store=False) as waiting, Watch({("vault", 1): waiting}) as watch:
        time.sleep(1.5)
    assert watch.gaps["vault"] >= 1.5
    assert watch.reasons["vault"] == "store"


def test_one_ready_instance_of_two_is_no_gap() -> None:
    (nothing,) = free_ports(1)
    with ready_service() as ready, Watch({("vault", 1): ready, ("vault", 2): nothing}) as watch:
        time.sleep(1.5)
    assert watch.gaps["vault"] < 1.5


def test_the_time_before_the_first_step_and_after_the_last_belongs_to_the_longest_gap() -> None:
    steps = Steps()
    steps.step()
    time.sleep(0.2)
    steps.begin()
    time.sleep(0.1)
    steps.step()
    steps.end()
    assert 0.1 <= steps.gap < 0.2
    steps.begin()
    with steps.held():
        time.sleep(0.4)
    time.sleep(0.2)
    steps.end()
    assert 0.2 <= steps.gap < 0.4
