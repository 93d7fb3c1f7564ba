"""The relay of a rehearsal: a process with its own key that tells no round before its time on the rehearsal's clock."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from py_ecc.optimized_bls12_381 import curve_order

from deploy.local.ports import free_ports
from deploy.relay.chain import RelayKey, write_beacon_member
from services.lottery.randomness.beacon import verify_beacon
from shared.campaign.beacon_schedule import Schedule
from shared.clock import set_rehearsal_clock
from shared.errors import ConfigurationError
from tests.support.waiting import block_until

SCHEDULE = Schedule(genesis=1_527_700_000, period=3)
NOW = SCHEDULE.time_of(1000) + timedelta(seconds=1)


@dataclass(frozen=True)
class Running:
    url: str
    clock: Path
    key: RelayKey

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}/{path}", timeout=30)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, (port,) = tmp_path_factory.mktemp("relay"), free_ports(1)
    key, clock = folder / "relay.key", folder / "clock.json"
    set_rehearsal_clock(clock, NOW)
    command = f"-m deploy.relay --key {key} --clock {clock} --genesis {SCHEDULE.genesis} --port {port}"
    process = subprocess.Popen([sys.executable, *command.split()])
    running = Running(f"http://127.0.0.1:{port}", clock, RelayKey.create_once(key))
    try:
        block_until(lambda: process.poll() is None and _answers(running))
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def _answers(running: Running) -> bool:
    try:
        return running.get("rehearsal/info").is_success
    except httpx.TransportError:
        return False


def test_relay_tells_a_round_that_has_come_with_a_signature_by_its_key(relay: Running) -> None:
    answer = relay.get("rehearsal/public/1000").json()
    assert answer["round"] == 1000
    assert verify_beacon(answer["signature"], relay.key.public, 1000)
    assert not verify_beacon(answer["signature"], relay.key.public, 1001)


def test_relay_tells_no_round_before_its_time_on_the_rehearsals_clock(relay: Running) -> None:
    number = SCHEDULE.round_after(NOW + timedelta(hours=2))
    assert relay.get(f"rehearsal/public/{number}").status_code == 425
    set_rehearsal_clock(relay.clock, SCHEDULE.time_of(number))
    assert relay.get(f"rehearsal/public/{number}").is_success
    set_rehearsal_clock(relay.clock, SCHEDULE.time_of(number) - timedelta(hours=1))
    assert relay.get(f"rehearsal/public/{number}").status_code == 425


@pytest.mark.parametrize(
    "path", ["", "rehearsal/public/0", "rehearsal/public/-1", "0123/public/1", "rehearsal/public/1x"]
)
def test_relay_knows_its_own_chain_only(relay: Running, path: str) -> None:
    assert relay.get(path).status_code == 404


def test_relay_says_key_and_times_of_its_chain(relay: Running) -> None:
    told = relay.get("rehearsal/info").json()
    assert (told["public_key"], told["genesis_time"], told["period"]) == (relay.key.public, SCHEDULE.genesis, 3)


def test_relay_keeps_its_key(tmp_path: Path) -> None:
    path = tmp_path / "relay.key"
    assert RelayKey.create_once(path).public == RelayKey.create_once(path).public
    assert path.stat().st_mode & 0o777 == 0o600
    for content in (b"", bytes(32), curve_order.to_bytes(32, "big")):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match="remove the file"):
            RelayKey.create_once(path)


def test_rounds_come_by_the_schedule() -> None:
    start = datetime.fromtimestamp(SCHEDULE.genesis, UTC)
    assert [SCHEDULE.round_after(start + timedelta(seconds=seconds)) for seconds in (-9, -1, 0, 2, 3)] == [
        1,
        1,
        2,
        2,
        3,
    ]
    member = write_beacon_member(RelayKey(5), SCHEDULE, 7)
    assert (member["chain"], member["round"], member["genesis"], member["period"]) == (
        "rehearsal", 7, SCHEDULE.genesis, 3,
    )  # fmt: skip
