"""The same work by Kuji and by a user's own build on Celery and on dramatiq, one after the other in one run.

    .kuji/venv/bin/python -m tests.bench.bench_peers [--size 2000] [--connections 64]

The work: receive a sealed application over HTTP, keep it, open and validate it, store the person encrypted, hand the
choices on, enter them. Same broker and database (fresh ones for each), same client, two worker processes for a peer.
Kuji does more for each application (tests/bench/peers/job.py names it). Ratios are Kuji's figure by the peer's.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from cryptography.fernet import Fernet

from deploy.demo.http_connection import ConnectionPool
from deploy.demo.people import population
from deploy.demo.rehearsal import SAMPLE, until
from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from shared.campaign import load_campaign
from shared.encoding import b64url
from tests.bench import bench_pipeline
from tests.bench.bench_pipeline import LONGEST_S, listens
from tests.bench.peers import job

WORKERS = {
    "celery": ["-m", "celery", "-A", "tests.bench.peers.celery_worker", "worker", "--concurrency", "2", "-l", "ERROR"],
    "dramatiq": ["-m", "dramatiq", "tests.bench.peers.dramatiq_worker", "--processes", "2", "--threads", "4"],
}


@dataclass(frozen=True)
class Figure:
    """`rate`: applications a second from POST to entry; `cost_ms`: processor time of all but the client for each."""

    rate: float
    cost_ms: float


def contents(size: int) -> list[tuple[str, bytes]]:
    """Return id and plaintext of as many applications by web."""
    people = population(load_campaign(SAMPLE), seed=777, size=2 * size)
    return [(str(each.application_id), each.plaintext) for each in people if each.channel == "web"][:size]


async def post_all(port: int, bodies: list[bytes], connections: int) -> None:
    pool = ConnectionPool(f"http://127.0.0.1:{port}", connections, timeout_s=60)

    async def post(body: bytes) -> None:
        answer = await pool.request("POST", "/applications", body)
        assert answer.status == 202, answer.status

    await asyncio.gather(*map(post, bodies))
    pool.close()


@contextmanager
def running(command: list[str], log: Path) -> Iterator[psutil.Process]:
    """Run a Python process and its children, and end them."""
    with log.open("wb") as output:
        process = psutil.Popen([sys.executable, *command], stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except psutil.TimeoutExpired:
            process.kill()


def spent(processes: list[psutil.Process]) -> Counter[int]:
    """Return the processor time of each process and its children so far, by pid, in seconds."""
    times: Counter[int] = Counter()
    for parent in processes:
        for one in (parent, *parent.children(recursive=True)):
            times[one.pid] = sum(one.cpu_times()[:2])
    return times


def measure_peer(queue: str, size: int, connections: int, home: Path) -> Figure:
    """Run the work on one queue, with servers of its own."""
    with Watchdog() as watchdog, Servers(home, watchdog=watchdog, environment={}) as servers, ExitStack() as stack:
        [port] = free_ports(1)
        os.environ |= {
            job.AMQP_URL: servers.amqp_url,
            job.MONGO_URL: servers.mongo_url,
            job.SEED: b64url(secrets.token_bytes(96)),
            job.AT_REST: Fernet.generate_key().decode(),
        }
        job.private_key.cache_clear()
        job.database.cache_clear()
        bodies = [
            json.dumps({"application_id": name, "sealed": job.seal(plaintext)}).encode()
            for name, plaintext in contents(size)
        ]
        worker = stack.enter_context(running(WORKERS[queue], home / "worker.log"))
        web = stack.enter_context(running(["-m", "tests.bench.peers.web", queue, str(port)], home / "web.log"))
        processes = [worker, web, *(psutil.Process(child.pid) for child in servers.children())]

        async def play() -> Figure:
            await until(lambda: listens(port), bool, within_s=60, what=f"the address of {queue}")
            await post_all(port, bodies[:10], connections)
            await until(entered, lambda count: count >= 10, within_s=60, what=f"workers of {queue}")
            before, begun = spent(processes), time.perf_counter()
            await post_all(port, bodies[10:], connections)
            await until(entered, lambda count: count >= size, within_s=LONGEST_S, what="entries", every_s=0.1)
            seconds = time.perf_counter() - begun
            return Figure((size - 10) / seconds, 1000 * (spent(processes) - before).total() / (size - 10))

        return asyncio.run(play())


async def entered() -> int:
    return await asyncio.to_thread(job.count_entries)


def measure_kuji(size: int, connections: int, home: Path) -> Figure:
    """Run Kuji's own pipeline, all four services."""
    part = bench_pipeline.run(home, size, 1, connections)[0]
    return Figure(part.count / part.seconds, 1000 * (part.spent.total() - part.spent["client"]) / part.count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    for name in ("KUJI_NAMESPACE", "KUJI_AMQP_URL", "KUJI_MONGO_URL"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        own = measure_kuji(given.size, given.connections, Path(folder) / "kuji")
        print(f"kuji      {own.rate:6.0f} /s   {own.cost_ms:.2f} ms of processors each", flush=True)
        for queue in WORKERS:
            peer = measure_peer(queue, given.size, given.connections, Path(folder) / queue)
            rate, cost = own.rate / peer.rate, own.cost_ms / peer.cost_ms
            print(f"{queue:9} {peer.rate:6.0f} /s   {peer.cost_ms:.2f} ms of processors each", end="   ")
            print(f"kuji is at {rate:.2f} x its rate and {cost:.2f} x its processor time", flush=True)


if __name__ == "__main__":
    main()
