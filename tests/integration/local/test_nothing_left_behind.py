"""However a run ends, no process of it is left: on whole installations with real servers."""

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.rabbitmq import Ports, RabbitMQ
from tests.support.checkouts import Checkout
from tests.support.waiting import block_until


def test_a_demo_that_is_signalled_stops_everything_and_removes_its_state(checkout: Checkout) -> None:
    demo = checkout.start("demo", "--size", "500")
    block_until(checkout.runs_all)

    demo.send_signal(signal.SIGTERM)

    assert demo.wait(90) != 0
    assert checkout.processes() == {}
    assert checkout.folders() == []


def test_a_demo_that_is_killed_leaves_no_process_and_the_next_command_removes_its_state(checkout: Checkout) -> None:
    demo = checkout.start("demo", "--size", "500")
    block_until(checkout.runs_all)

    demo.kill()

    checkout.await_quiet()
    assert len(checkout.folders()) == 1
    assert checkout.kuji("down").returncode == 0
    assert checkout.folders() == []


@pytest.mark.parametrize("after_s", [0.0, 1.5])
def test_a_demo_that_is_killed_while_it_starts_leaves_no_process(checkout: Checkout, after_s: float) -> None:
    demo = checkout.start("demo")
    block_until(lambda: len(checkout.processes()) > 1)
    time.sleep(after_s)

    demo.kill()

    checkout.await_quiet()


def test_a_broker_node_without_its_port_mapper_starts_none_that_would_outlive_it(tmp_path: Path) -> None:
    """Start a node as it is for the moment in which a watchdog has killed the port mapper and not yet the node."""
    ports = Ports(*free_ports(3))
    with Watchdog() as watchdog:
        node = RabbitMQ(tmp_path / "broker", ports, watchdog, shares_mapper=True)
        node.start()
        block_until(lambda: not node.children[0].running, 120)
        node.stop()
    assert not is_taken(ports.mapper)


def is_taken(port: int) -> bool:
    """Return True if a server takes connections at the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_a_start_that_is_broken_off_leaves_no_process(checkout: Checkout) -> None:
    up = checkout.start("up")
    block_until(lambda: "mongod" in checkout.processes().values())

    up.send_signal(signal.SIGINT)

    assert up.wait(60) != 0
    checkout.await_quiet()


def test_two_checkouts_run_side_by_side_and_down_ends_only_its_own(checkout: Checkout, neighbour: Checkout) -> None:
    """Start one of them a second time, too: that changes nothing. Then end the other with its watchdog gone."""
    starts = [each.start("up") for each in (checkout, neighbour)]
    assert [start.wait(150) for start in starts] == [0, 0]
    ours, theirs = checkout.status(), neighbour.status()
    assert {row["state"] for row in [*ours.values(), *theirs.values()]} == {"ready", "running"}
    assert not {row["address"] for row in ours.values()} & {row["address"] for row in theirs.values()}

    before = checkout.processes()
    assert checkout.kuji("up").returncode == 0
    assert checkout.processes() == before
    assert checkout.kuji("down").returncode == 0

    assert checkout.processes() == {}
    assert checkout.folders() == []
    assert checkout.kuji("status").returncode == 1
    assert {row["state"] for row in neighbour.status().values()} == {"ready", "running"}

    _tells_of_a_service_that_died(neighbour)
    _ends_what_a_killed_watchdog_left(neighbour)


def _tells_of_a_service_that_died(checkout: Checkout) -> None:
    os.kill(next(pid for pid, name in checkout.processes().items() if name == "services.lottery"), signal.SIGKILL)
    block_until(lambda: "services.lottery" not in checkout.processes().values())
    states = {part: row["state"] for part, row in checkout.status().items()}
    assert states["lottery"] == "away"
    assert states["vault"] == "ready"


def _ends_what_a_killed_watchdog_left(checkout: Checkout) -> None:
    daemon = next(pid for pid, name in checkout.processes().items() if name == "deploy.local.daemon")
    watchdog = next(child.pid for child in psutil.Process(daemon).children() if child.cwd() == "/")
    os.kill(watchdog, signal.SIGKILL)
    os.kill(daemon, signal.SIGKILL)
    block_until(lambda: daemon not in checkout.processes())
    assert "services.vault" in checkout.processes().values()

    assert checkout.kuji("down").returncode == 0

    checkout.await_quiet()
    assert checkout.folders() == []
