"""Applications a second from POST to stored entry, and processor time of each process for one application.

    .kuji/venv/bin/python -m tests.bench.bench_pipeline [--size 2000] [--connections 64] [--parts 4]

Starts a whole private installation, seals the applications of each part before it, posts them over kept-alive
connections and waits until the lottery has every verdict. The run is divided into parts, so that one sees whether the
rate falls with what is stored (`--size 200000 --parts 8`). Beside it: `generator`, what the client does against a
server that does nothing. Processor time depends least on the neighbours: compare that. What the processes spend at
rest (timers, health) is measured first and taken off.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
from pymongo import MongoClient

from deploy.demo.application import DemoApplication
from deploy.demo.client import ApplicantClient
from deploy.demo.http_connection import Connection, ConnectionPool
from deploy.demo.people import population
from deploy.demo.rehearsal import SAMPLE, rehearsal_of, until
from deploy.demo.sealing import SealingKey
from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from deploy.local.stack import Options, Stack
from shared.campaign import Campaign
from shared.clock import set_rehearsal_clock
from shared.json_types import JsonObject
from tests.support.intake_process import serving

LONGEST_S = 600.0
SURNAME_CHARACTERS = "田山川村木本石原中野藤島上森井小大高松竹西北南東谷沢池橋林岡崎浜宮水金河安岩平内今堀"
GIVEN_CHARACTERS = "美子一真結菜優太陽斗希奈郎香大翔樹莉愛也咲花里智恵和彦健誠沙織理人佳裕介千春夏秋海空直幸雅文正明"
IDLE_S = 8.0
GENERATED = 2000
UNLIMITED = {"KUJI_APPLICATIONS_PER_MINUTE": "0", "KUJI_REQUESTS_PER_SECOND": "0", "KUJI_WORK_BITS": "0"}


@dataclass(frozen=True)
class Part:
    """`spent`: processor time by process, seconds, above what the processes spend while nothing arrives."""

    count: int
    seconds: float
    spent: Counter[str]


def get(stack: Stack, service: str, path: str) -> JsonObject:
    """Return the answer to a call that is open to all."""
    with urllib.request.urlopen(f"{stack.url(service)}/v1/{path}", timeout=60) as answer:  # noqa: S310  (loopback)
        document: JsonObject = json.load(answer)
        return document


async def fetch_key(stack: Stack, campaign: Campaign) -> SealingKey:
    """Return the campaign's key as soon as intake has it."""
    trusted = get(stack, "vault", "signing-key")["public_key"]
    async with ApplicantClient(stack.url("intake"), campaign.id, trusted=trusted) as client:
        return await client.key()


def with_own_name(plaintext: bytes, dice: random.Random) -> bytes:
    """Return the application under a name that hardly anybody else has; programs' faulty JSON stays as it is.

    The demo's people share a thousand names, twenty people each at 20,000. A town's people do not, and the search for
    applications of one person opens everybody of a name.
    """
    with suppress(ValueError):
        content: JsonObject = json.loads(plaintext)
        content["applicant"]["name"] = " ".join(
            "".join(characters[min(int(len(characters) * dice.random() ** 1.5), len(characters) - 1)] for _ in range(2))
            for characters in (SURNAME_CHARACTERS, GIVEN_CHARACTERS)
        )
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return plaintext


def make_people(campaign: Campaign, size: int) -> list[DemoApplication]:
    """Return `size` web applications: seven of ten people write over the web."""
    return [each for each in population(campaign, seed=777, size=2 * size) if each.channel == "web"][:size]


def seal_all(key: SealingKey, people: Sequence[DemoApplication], dice: random.Random) -> list[bytes]:
    """Return the bodies of applications."""
    return [
        json.dumps(
            {
                "v": 2,
                "application_id": each.application_id,
                "key_id": key.key_id,
                "sealed": key.seal(each.application_id, with_own_name(each.plaintext, dice)),
                "proof_sha256": "0" * 64,
            }
        ).encode()
        for each in people
    ]


async def post_all(url: str, path: str, bodies: Sequence[bytes], connections: int) -> None:
    pool = ConnectionPool(url, connections, timeout_s=60)

    async def post(body: bytes) -> None:
        status = (await pool.request("POST", path, body)).status
        assert status == 202, status

    await asyncio.gather(*(post(body) for body in bodies))
    pool.close()


async def measure_idle(stack: Stack) -> Counter[str]:
    """Return the processor time that each process spends in a second while nothing arrives."""
    before = processor_times(stack)
    await asyncio.sleep(IDLE_S)
    return Counter({name: spent / IDLE_S for name, spent in (processor_times(stack) - before).items()})


async def run_part(
    stack: Stack, path: str, bodies: Sequence[bytes], stored: int, connections: int, idle: Counter[str]
) -> Part:
    """Post the bodies and wait until the lottery has a verdict on each; `stored`: verdicts from before."""
    before, begun = processor_times(stack), time.perf_counter()
    await post_all(stack.url("intake"), path, bodies, connections)
    campaign = path.split("/")[3]

    rows = MongoClient[JsonObject](stack.servers.mongo_url)[stack.database("lottery")]["entries"]

    async def entries() -> int:
        """Return the number that the storage engine keeps: to count 200,000 ten times a second is work itself."""
        return await asyncio.to_thread(rows.estimated_document_count)

    await until(entries, lambda n: n >= stored + len(bodies), within_s=LONGEST_S, what="entries", every_s=0.1)
    seconds = time.perf_counter() - begun
    counted = rows.count_documents({"campaign": campaign})
    assert counted == stored + len(bodies), counted
    at_rest = Counter({name: share * seconds for name, share in idle.items()})
    return Part(len(bodies), seconds, processor_times(stack) - before - at_rest)


def processor_times(stack: Stack) -> Counter[str]:
    """Return the processor time of each process and its children so far, in seconds, and that of the client."""
    times: Counter[str] = Counter()
    for child in stack.children():
        process = psutil.Process(child.pid)
        for part in (process, *process.children(recursive=True)):
            times[child.name] += sum(part.cpu_times()[:2])
    times["client"] = sum(psutil.Process().cpu_times()[:2])
    return times


async def listens(port: int) -> bool:
    """Return True if a server takes connections at the port."""
    try:
        (await Connection.open(port)).close()
    except OSError:
        return False
    return True


async def generate(bodies: Sequence[bytes], connections: int) -> float:
    """Return the rate of the client against a server that does nothing."""
    [port] = free_ports(1)
    with serving(port, "tests.bench.responder", str(port)):
        await until(lambda: listens(port), bool, within_s=30, what="the responder", every_s=0.05)
        begun = time.perf_counter()
        await post_all(f"http://127.0.0.1:{port}", "/", bodies, connections)
        return len(bodies) / (time.perf_counter() - begun)


def run(home: Path, size: int, parts: int, connections: int) -> list[Part]:
    """Run the whole pipeline on a private installation, print each part and return them."""
    campaign, clock = rehearsal_of(SAMPLE, home / "campaigns"), home / "clock.json"
    set_rehearsal_clock(clock, campaign.window.opens + timedelta(hours=1))
    with (
        Watchdog() as watchdog,
        Stack(home, Options(home / "campaigns", clock, more=UNLIMITED), watchdog=watchdog) as at,
    ):
        key, people = asyncio.run(fetch_key(at, campaign)), make_people(campaign, size)
        print(f"{len(people)} people made", flush=True)
        dice = random.Random(size)  # noqa: S311  (people, not keys)
        path = f"/v1/campaigns/{campaign.id}/applications"
        bodies = seal_all(key, people[:GENERATED], random.Random(size))  # noqa: S311
        print(f"generator {asyncio.run(generate(bodies, connections)):8.0f} /s", flush=True)
        idle = asyncio.run(measure_idle(at))
        print(f"at rest {sum(idle.values()):.2f} processors: {rounded(idle)}", flush=True)
        done = []
        for number in range(parts):
            start, end = number * size // parts, (number + 1) * size // parts
            bodies = seal_all(key, people[start:end], dice)
            done.append(asyncio.run(run_part(at, path, bodies, start, connections, idle)))
            show(done[-1], end)
        return done


def rounded(times: Counter[str]) -> str:
    return json.dumps({name: round(value, 2) for name, value in times.most_common() if round(value, 2)})


def show(part: Part, stored: int) -> None:
    each = Counter({name: 1000 * seconds / part.count for name, seconds in part.spent.items()})
    services, rate = sum(each.values()) - each["client"], part.count / part.seconds
    print(f"to {stored:7} stored {rate:6.0f} /s   {services:.2f} ms of processors each: {rounded(each)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    os.environ.pop("KUJI_NAMESPACE", None)
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), given.size, given.parts, given.connections)


if __name__ == "__main__":
    main()
