"""Made-up inputs for every endpoint, every consumer and the parsers; the longer run of what the gate does briefly.

    python -m tests.bench.bench_fuzz [INPUTS [TARGET]]

INPUTS: of each target, 10,000 without it. TARGET: part of a target's name (`vault`, `consumes`, `parser`, `POST`).
Prints a row for each target: inputs, unhandled errors, repeated input, growth of memory beside its limit, and the
processor time of the slowest input. Ends with status 1 where something was found.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from tests.support.fuzzing import parsers
from tests.support.fuzzing.consumers import ConsumerFuzzer
from tests.support.fuzzing.http import Fuzzer
from tests.support.fuzzing.inputs import Inputs
from tests.support.fuzzing.installation import RunningService, running_services
from tests.support.fuzzing.outcome import HEAD, Outcome, say
from tests.support.service_keys import keys_in_environment

INPUTS = 10_000
BASES = 30


async def fuzz(service: RunningService, inputs: int, wanted: str) -> AsyncIterator[Outcome]:
    """Fuzz consumers and routes of a service whose target's name has `wanted` in it."""
    consumers, fuzzer = ConsumerFuzzer(service, Inputs(1)), Fuzzer(service, Inputs(2), BASES)
    for handling in service.handlings:
        if wanted in f"{service.name} consumes {handling.event_type.name}":
            yield await consumers.fuzz(handling, inputs)
    for route in fuzzer.routes():
        if wanted in f"{service.name} {route.name}":
            yield await fuzzer.fuzz(route, inputs)


async def run(inputs: int, wanted: str, folder: Path) -> list[Outcome]:
    """Fuzz all wanted targets and print each as it ends."""
    outcomes = []
    for outcome in parsers.fuzz_all(inputs, wanted):
        outcomes.append(outcome)
        _print(outcome)
    if wanted.startswith("parser"):
        return outcomes
    with Watchdog() as watchdog, Servers(folder / "servers", watchdog=watchdog) as servers:
        async with running_services(servers.amqp_url, servers.mongo_url, "fuzz", folder) as services:
            for service in services.values():
                async for outcome in fuzz(service, inputs, wanted):
                    outcomes.append(outcome)
                    _print(outcome)
    return outcomes


def _print(outcome: Outcome) -> None:
    print(outcome.row(), flush=True)
    if not outcome.is_clean:
        for example in outcome.examples:
            say(f"  {outcome.target}: {example}")


def main() -> None:
    """Run, and end with status 1 where something was found."""
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else INPUTS
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder, keys_in_environment(Path(folder) / "keys"):
        outcomes = asyncio.run(run(inputs, wanted, Path(folder)))
    found = [outcome.target for outcome in outcomes if not outcome.is_clean]
    print(f"\n{len(outcomes)} targets, {sum(each.inputs for each in outcomes):,} inputs, {len(found)} with findings")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
