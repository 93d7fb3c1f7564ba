"""HAProxy before two instances, with the example file: no client chooses its address, and one instance may go."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import free_ports
from deploy.local.processes import LocalError, Watchdog
from shared.contracts import SERVICES
from tests.support.load_balancer import start_haproxy
from tests.support.said_caller import serving
from tests.support.waiting import block_until


@pytest.fixture
def going() -> Iterator[ExitStack]:
    """Yield what ends the second instance when it is closed."""
    with ExitStack() as second:
        yield second


@pytest.fixture
def address(tmp_path: Path, watchdog: Watchdog, going: ExitStack) -> Iterator[str]:
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    with serving("one") as one:
        two = going.enter_context(serving("two"))
        instances = {(service, number): port for service in SERVICES for number, port in ((1, one), (2, two))}
        haproxy = start_haproxy(tmp_path, ports, instances, watchdog)
        try:
            yield f"http://127.0.0.1:{ports['intake']}/"
        finally:
            haproxy.stop(timeout_s=10)


def test_a_client_does_not_choose_the_address_by_which_limits_count_it(address: str) -> None:
    claimed = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "forwarded": "for=203.0.113.9"}
    seen = httpx.get(address, headers=claimed, timeout=30).json()
    assert (seen["client"], seen["scheme"]) == ("127.0.0.1", "http")
    twice = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "203.0.113.10")]
    assert httpx.get(address, headers=twice, timeout=30).json()["client"] == "127.0.0.1"


def test_both_instances_answer_and_one_may_go(address: str, going: ExitStack) -> None:
    def answered() -> set[str]:
        answers = [httpx.get(address, timeout=30) for _ in range(10)]
        assert {answer.status_code for answer in answers} == {200}
        return {answer.headers["instance"] for answer in answers}

    block_until(lambda: answered() == {"one", "two"})
    going.close()
    assert answered() == {"one"}, "a connection that is refused goes to the other one"


def test_a_missing_haproxy_is_said_with_what_to_do(
    tmp_path: Path, watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.support.load_balancer._FOLDER", str(tmp_path))
    with pytest.raises(LocalError, match="apt-get install haproxy"):
        start_haproxy(tmp_path, {"intake": 1}, {}, watchdog)
