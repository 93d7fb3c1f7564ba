"""How many applications a second one process of intake takes, closed loop, beside what bounds it in the same run.

    .kuji/venv/bin/python -m tests.bench.bench_intake [--seconds 5] [--rounds 3] [--connections 128]

Beside it: (a) `empty`, the same process answering an empty POST at the same address, which is refused once read;
(b) `publish`, the same event published with confirm on the same broker, as many at once; and `generator`, what the
client does against a server that does nothing, so that one sees whether it is the client that is measured. Rounds
are interleaved, because machines are noisy; the median counts. Everything runs on the same machine; the processor
time that intake itself spends on one request is printed too, since it depends least on the neighbours.
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
import psutil

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


@dataclass(frozen=True)
class Server:
    """A process of its own, and where it listens."""

    port: int
    process: psutil.Process


@dataclass(frozen=True)
class Installation:
    """What a run needs of its surroundings."""

    amqp_url: str
    namespace: str
    intake: Server
    responder: Server


@dataclass(frozen=True)
class Rate:
    """Completions a second, and processor time of the server for each (seconds; 0 where nobody looked)."""

    per_second: float
    cost_s: float = 0.0


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


async def closed_loop(load: Load, once: Callable[[int], Awaitable[None]], server: psutil.Process | None = None) -> Rate:
    """`once(lane)` again and again in each lane."""
    end, done = time.perf_counter() + load.seconds, 0

    async def lane(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await once(number)
            done += 1

    begun, spent = time.perf_counter(), _processor_time(server)
    await asyncio.gather(*(lane(number) for number in range(load.connections)))
    return Rate(done / (time.perf_counter() - begun), (_processor_time(server) - spent) / done)


def _processor_time(process: psutil.Process | None) -> float:
    if process is None:
        return 0.0
    times = process.cpu_times()
    return float(times.user + times.system)


async def posting(server: Server, load: Load, path: str, bodies: Iterator[bytes], expected: int) -> Rate:
    lanes = [Connection(*await asyncio.open_connection("127.0.0.1", server.port)) for _ in range(load.connections)]

    async def once(lane: int) -> None:
        status = await lanes[lane].post(path, next(bodies))
        assert status == expected, status

    rate = await closed_loop(load, once, server.process)
    for lane in lanes:
        lane.close()
    return rate


async def publishing(url: str, names: Names, load: Load, body: bytes) -> Rate:
    link = Link(url, "bench", 10, confirms=True)
    publisher = Publisher(link, 10)

    async def once(_: int) -> None:
        message = Envelope(new_event_id(), ApplicationReceived.name, body).message()
        await publisher.publish(names.events, ApplicationReceived.name, message)

    rate = await closed_loop(load, once)
    await link.close()
    return rate


def sealed_bodies(vault: VaultSide) -> Iterator[bytes]:
    """Distinct ids; sealed once, beforehand: intake cannot tell, and sealing would slow the client down."""
    sealed = vault.key().seal(new_application_id(), bytes(PLAINTEXT))
    around = json.dumps({"v": 1, "application_id": "*", "key_id": "k1", "sealed": sealed}, separators=(",", ":"))
    before, after = (part.encode() for part in around.split("*"))
    while True:
        yield before + new_application_id().encode() + after


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
        **{f"KUJI_{limit}": "0" for limit in ("APPLICATIONS_PER_MINUTE", "LOOKUPS_PER_MINUTE", "REQUESTS_PER_SECOND")},
    }


@contextmanager
def serving(port: int, module: str, *arguments: str, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """One process of `module`."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=settings, stdout=subprocess.DEVNULL)
    try:
        yield Server(port, psutil.Process(process.pid))
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


async def measure(at: Installation, load: Load, rounds: int) -> dict[str, list[Rate]]:
    connection = await connected(at.amqp_url)
    vault = await VaultSide.connect(connection, at.namespace)
    await vault.publish_key()
    await has_key(at.intake.port)
    bodies, path = sealed_bodies(vault), f"/v1/campaigns/{CAMPAIGN}/applications"
    found: dict[str, list[Rate]] = {"applications": [], "empty": [], "publish": [], "generator": []}
    for _ in range(rounds):
        found["applications"].append(await posting(at.intake, load, path, bodies, 202))
        found["empty"].append(await posting(at.intake, load, path, empty_bodies(), 422))
        found["publish"].append(await publishing(at.amqp_url, Names(at.namespace), load, next(bodies)))
        found["generator"].append(await posting(at.responder, load, path, bodies, 202))
    await connection.close()
    return found


def run(given: argparse.Namespace, home: Path) -> dict[str, list[Rate]]:
    namespace, [port, idle] = f"bench{os.getpid()}", free_ports(2)
    load = Load(given.seconds, given.connections)
    with Watchdog() as watchdog, Servers(home / "servers", watchdog=watchdog) as servers:
        asyncio.run(declare(servers.amqp_url, namespace))
        settings = environment(servers, home, namespace, port)
        with (
            serving(port, "services.intake", settings=settings) as intake,
            serving(idle, "tests.bench.responder", str(idle)) as responder,
        ):
            at = Installation(servers.amqp_url, namespace, intake, responder)
            return asyncio.run(measure(at, load, given.rounds))


def show(found: Mapping[str, list[Rate]]) -> None:
    print(json.dumps({name: [round(rate.per_second) for rate in rates] for name, rates in found.items()}))
    medians = {name: statistics.median(rate.per_second for rate in rates) for name, rates in found.items()}
    for name, rate in medians.items():
        cost_ms = 1000 * statistics.median(each.cost_s for each in found[name])
        cost = f"   {cost_ms:5.2f} ms of the server's processor each" if cost_ms else ""
        print(f"{name:13} {rate:8.0f} /s   applications reach {medians['applications'] / rate:5.2f} of it{cost}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=128)
    with tempfile.TemporaryDirectory() as folder:
        show(run(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
