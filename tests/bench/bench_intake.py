"""Applications a second of one intake process, closed loop, beside its bounds in the same run.

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
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from uvicorn.loops.auto import auto_loop_factory

from deploy.demo.http_connection import Connection
from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from shared.contracts import ApplicationReceived
from shared.messaging.link import Link
from shared.messaging.names import Names
from shared.messaging.publisher import Publisher
from shared.messaging.topology import declare
from tests.support.intake_process import PATH, Server, await_key, environment, pin, sealed_bodies, serving
from tests.support.service_keys import keys_in_environment, signed_body
from tests.support.vault_messages import VaultSide, connected


@dataclass(frozen=True)
class Load:
    """Load and duration of a run."""

    seconds: float
    connections: int


@dataclass(frozen=True)
class Installation:
    """Environment of a run."""

    amqp_url: str
    namespace: str
    intake: Server
    responder: Server


@dataclass(frozen=True)
class Rate:
    """Completions a second, and processor time of the server for each (seconds; 0 where it was not measured)."""

    per_second: float
    cost_s: float = 0.0


async def closed_loop(load: Load, once: Callable[[int], Awaitable[None]], server: psutil.Process | None = None) -> Rate:
    """Repeat `once(lane)` in each lane."""
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
    lanes = [await Connection.open(server.port) for _ in range(load.connections)]

    async def once(lane: int) -> None:
        status = (await lanes[lane].post(path, next(bodies))).status
        assert status == expected, status

    rate = await closed_loop(load, once, server.process)
    for lane in lanes:
        lane.close()
    return rate


async def publishing(url: str, names: Names, load: Load, body: bytes) -> Rate:
    link = Link(url, "bench", 10, confirms=True)
    publisher = Publisher(link, 10)

    async def once(_: int) -> None:
        message = signed_body(ApplicationReceived.name, body, "intake").message()
        await publisher.publish(names.events, ApplicationReceived.name, message)

    rate = await closed_loop(load, once)
    await link.close()
    return rate


def empty_bodies() -> Iterator[bytes]:
    while True:
        yield b""


async def measure(at: Installation, load: Load, rounds: int, home: Path) -> dict[str, list[Rate]]:
    connection = await connected(at.amqp_url)
    vault = await VaultSide.connect(connection, at.namespace)
    pin(home, vault)
    await vault.publish_key()
    await await_key(at.intake.port)
    bodies = (body for _, body in sealed_bodies(vault))
    found: dict[str, list[Rate]] = {"applications": [], "empty": [], "publish": [], "generator": []}
    for _ in range(rounds):
        found["applications"].append(await posting(at.intake, load, PATH, bodies, 202))
        found["empty"].append(await posting(at.intake, load, PATH, empty_bodies(), 422))
        found["publish"].append(await publishing(at.amqp_url, Names(at.namespace), load, next(bodies)))
        found["generator"].append(await posting(at.responder, load, PATH, bodies, 202))
    await connection.close()
    return found


def run(given: argparse.Namespace, home: Path) -> dict[str, list[Rate]]:
    namespace, [port, idle] = f"bench{os.getpid()}", free_ports(2)
    load = Load(given.seconds, given.connections)
    with (
        keys_in_environment(home / "service-keys"),
        Watchdog() as watchdog,
        Servers(home / "servers", watchdog=watchdog) as servers,
    ):
        asyncio.run(declare(servers.amqp_url, namespace))
        settings = environment(servers.amqp_url, servers.mongo_url, home, namespace, port)
        with (
            serving(port, "services.intake", settings=settings) as intake,
            serving(idle, "tests.bench.responder", str(idle)) as responder,
        ):
            at = Installation(servers.amqp_url, namespace, intake, responder)
            with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:  # the event loop that intake uses
                return runner.run(measure(at, load, given.rounds, home))


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
