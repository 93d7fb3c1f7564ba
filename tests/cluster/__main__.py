"""Run the scenarios that are named, or all, and print the table; see docs/operations.md, "More than one machine"."""

import argparse
import json
import os
import platform
import shutil
import sys
from pathlib import Path

from rich.console import Console

from deploy.local import runs
from deploy.local.paths import STATE
from tests.cluster.play import Seen, play
from tests.cluster.scenarios import chosen

SIZE = 600
"""Applications in a scenario."""


def main() -> int:
    """Play the scenarios and return 1 if an invariant is broken somewhere."""
    parser = argparse.ArgumentParser(prog="./kuji test --cluster", description=__doc__)
    parser.add_argument("scenario", nargs="*", help="names or beginnings of names, e.g. draw-database-kill or erase")
    parser.add_argument("--size", type=int, default=SIZE, help="applications in each scenario")
    parser.add_argument("--keep", action="store_true", help="keep the folder of each scenario, with all logs")
    parser.add_argument("--json", type=Path, help="append one line of JSON for each scenario to this file")
    options = parser.parse_args()
    try:
        scenarios = chosen(options.scenario)
    except LookupError as error:
        parser.error(str(error.args[0]))
    console, results = Console(stderr=True), list[Seen]()
    for scenario in scenarios:
        home = runs.make(STATE / "run", f"cluster-{scenario.name}-")
        console.rule(scenario.name)
        seen = play(scenario, home, options.size, console)
        results.append(seen)
        sys.stdout.write(f"{row(seen)}\n")
        sys.stdout.flush()
        if options.json is not None:
            with options.json.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(vars(seen), ensure_ascii=False) + "\n")
        if options.keep or not seen.holds:
            console.print(f"kept: {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    sys.stdout.write(table(results))
    return 0 if all(seen.holds for seen in results) else 1


def row(seen: Seen) -> str:
    """Return one line of the table."""
    holds = seen.error or "; ".join(seen.broken) or "all hold"
    unknown = "–" if seen.unknown is None else str(seen.unknown)
    worst = max(seen.gaps, key=lambda service: seen.gaps[service], default="")
    refused = ", ".join(f"{service} {count}" for service, count in seen.refused.items() if count) or "0"
    where = "progress" if seen.steps_gap == seen.gap else f"{worst}: {seen.reasons.get(worst) or 'ready'}"
    gap = f"{seen.gap:.1f} s ({where})"
    return f"| {seen.scenario} | {holds} | {gap} | {refused} | {unknown} | {seen.copies} | {seen.seconds:.0f} s |"


def table(results: list[Seen]) -> str:
    """Return the table in Markdown, with the machine."""
    machine = f"{platform.system()} {platform.release()}, {os.cpu_count()} cores"
    head = (
        "| scenario | invariants | longest gap | refused | unknown | copies | took |\n|---|---|---|---|---|---|---|\n"
    )
    return f"\n{machine}, load {os.getloadavg()[1]:.0f}\n\n{head}" + "".join(f"{row(seen)}\n" for seen in results)


if __name__ == "__main__":
    sys.exit(main())
