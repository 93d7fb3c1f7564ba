"""Free ports: no two processes get one, however many ask before anybody listens."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local.ports import free_ports

_TAKE = "import sys; from deploy.local.ports import free_ports; print(*free_ports(400), flush=True); sys.stdin.read()"
_EACH = 400


@pytest.fixture
def takers() -> Iterator[list[subprocess.Popen[str]]]:
    """Yield processes that took ports, listen on none, and live on."""
    running = [
        subprocess.Popen([sys.executable, "-c", _TAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    yield running
    for each in running:
        each.communicate("", timeout=30)


def ports_of(taker: subprocess.Popen[str]) -> list[int]:
    assert taker.stdout is not None
    return [int(port) for port in taker.stdout.readline().split()]


def test_no_two_processes_are_given_one_port(takers: list[subprocess.Popen[str]]) -> None:
    taken = [port for taker in takers for port in ports_of(taker)] + free_ports(_EACH)
    assert len(taken) == len(set(taken)) == 5 * _EACH


def test_one_process_is_given_no_port_twice() -> None:
    first, second = set(free_ports(_EACH)), set(free_ports(_EACH))
    assert len(first | second) == 2 * _EACH


def test_a_port_is_let_go_of_when_its_process_ends(takers: list[subprocess.Popen[str]]) -> None:
    ports = ports_of(takers[0])
    again = f"from deploy.local.ports import reserve; print(sum(map(reserve, {ports})))"
    assert answer_of(again) == 0
    takers[0].kill()
    takers[0].wait(30)
    assert answer_of(again) > _EACH / 2, "a few may be another process's by now"


def answer_of(program: str) -> int:
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
