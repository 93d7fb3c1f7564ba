"""How many applications a second one process of intake takes, closed loop, beside what bounds it in the same run.

    .kuji/venv/bin/python -m tests.bench.bench_intake [--seconds 5] [--rounds 3] [--connections 16]

Beside it: (a) `empty`, the same process answering a POST that needs neither database nor broker; (b) `publish`, the
same event published with confirm on the same broker, as many at once. Rounds are interleaved, because machines
are noisy; the median counts. The client runs on the same machine.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from shared.campaign import load_campaign
from shared.clock import set_rehearsal_clock
from shared.contracts import ApplicationReceived
from shared.ids import new_application_id, new_event_id
from shared.messaging.envelope import Envelope
from shared.messaging.link import Link
from shared.messaging.names import Names
from shared.messaging.publisher import Publisher
from shared.messaging.topology import declare
from tests.integration.intake.vault import CAMPAIGN, VaultSide, connected

PLAINTEXT = 600
"""Bytes of a typical application before sealing."""


@dataclass(frozen=True)
class Load:
    """How hard and how long."""

    seconds: float
    connections: int


class Connection:
    """HTTP/1.1, kept alive, as little work as possible, so that the client does not bound the figure."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def post(self, path: str, body: bytes) -> int:
        head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        await self._reader.readexactly(length)
        return int(answer[9:12])

    def close(self) -> None:
        self._writer.close()


async def closed_loop(load: Load, once: Callable[[int], Awaitable[None]]) -> float:
    """`once(lane)` again and again in each lane; completions a second."""
    end, done = time.perf_counter() + load.seconds, 0

    async def lane(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await once(number)
            done += 1

    begun = time.perf_counter()
    await asyncio.gather(*(lane(number) for number in range(load.connections)))
    return done / (time.perf_counter() - begun)


async def posting(port: int, load: Load, path: str, bodies: Iterator[bytes], expected: int) -> float:
    lanes = [Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(load.connections)]

    async def once(lane: int) -> None:
        status = await lanes[lane].post(path, next(bodies))
        assert status == expected, status

    rate = await closed_loop(load, once)
    for lane in lanes:
        lane.close()
    return rate


async def publishing(url: str, names: Names, load: Load, body: bytes) -> float:
    link = Link(url, "bench", 10, confirms=True)
    publisher = Publisher(link, 10)

    async def once(_: int) -> None:
        message = Envelope(new_event_id(), ApplicationReceived.name, body).message()
        await publisher.publish(names.events, ApplicationReceived.name, message)

    rate = await closed_loop(load, once)
    await link.close()
    return rate


def sealed_bodies(vault: VaultSide) -> Iterator[bytes]:
    """Distinct ids; sealed once only: intake cannot tell, and sealing would slow the client down."""
    sealed = vault.key().seal(new_application_id(), bytes(PLAINTEXT))
    while True:
        body = {"v": 1, "application_id": new_application_id(), "key_id": "k1", "sealed": sealed}
        yield json.dumps(body, separators=(",", ":")).encode()


def empty_bodies() -> Iterator[bytes]:
    while True:
        yield b""


def environment(servers: Servers, home: Path, namespace: str, port: int) -> dict[str, str]:
    """Settings of an intake with the sample campaign, an hour after its window opened."""
    campaigns = home / "campaigns"
    campaigns.mkdir()
    sample = Path("deploy/campaigns/777-days.yaml").read_text("utf-8")
    (campaigns / "777-days.yaml").write_text(f"{sample}\nrehearsal: true\n", "utf-8")
    opens = load_campaign(campaigns / "777-days.yaml").window.opens
    set_rehearsal_clock(home / "clock.json", opens + timedelta(hours=1))
    return {
        **os.environ,
        "KUJI_AMQP_URL": servers.amqp_url,
        "KUJI_MONGO_URL": servers.mongo_url,
        "KUJI_MONGO_DATABASE": f"{namespace}_intake",
        "KUJI_NAMESPACE": namespace,
        "KUJI_CAMPAIGNS_DIR": str(campaigns),
        "KUJI_STATE_DIR": str(home),
        "KUJI_CLOCK_FILE": str(home / "clock.json"),
        "KUJI_HTTP_PORT": str(port),
    }


@contextmanager
def intake(settings: Mapping[str, str]) -> Iterator[None]:
    """One process of intake."""
    process = subprocess.Popen([sys.executable, "-m", "services.intake"], env=settings, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


async def has_key(port: int) -> None:
    """Until the process answers and has heard of the key."""
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        while True:
            with suppress(httpx.TransportError):
                if (await http.get(f"/v1/campaigns/{CAMPAIGN}/sealing-key")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)


async def measure(servers: Servers, port: int, namespace: str, load: Load, rounds: int) -> dict[str, list[float]]:
    connection = await connected(servers.amqp_url)
    vault = await VaultSide.connect(connection, namespace)
    await vault.publish_key()
    await has_key(port)
    bodies, path = sealed_bodies(vault), f"/v1/campaigns/{CAMPAIGN}/applications"
    found: dict[str, list[float]] = {"applications": [], "empty": [], "publish": []}
    for _ in range(rounds):
        found["applications"].append(await posting(port, load, path, bodies, 202))
        found["empty"].append(await posting(port, load, "/v1/campaigns/none/applications", empty_bodies(), 404))
        found["publish"].append(await publishing(servers.amqp_url, Names(namespace), load, next(bodies)))
    await connection.close()
    return found


def run(given: argparse.Namespace, home: Path) -> dict[str, list[float]]:
    namespace, [port] = f"bench{os.getpid()}", free_ports(1)
    load = Load(given.seconds, given.connections)
    with Watchdog() as watchdog, Servers(home / "servers", watchdog=watchdog) as servers:
        asyncio.run(declare(servers.amqp_url, namespace))
        with intake(environment(servers, home, namespace, port)):
            return asyncio.run(measure(servers, port, namespace, load, given.rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    with tempfile.TemporaryDirectory() as folder:
        found = run(parser.parse_args(), Path(folder))
    print(json.dumps({name: [round(rate) for rate in rates] for name, rates in found.items()}))
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    for name, rate in medians.items():
        print(f"{name:13} {rate:8.0f} /s   applications reach {medians['applications'] / rate:5.2f} of it")


if __name__ == "__main__":
    main()
