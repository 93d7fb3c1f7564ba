"""Start of commands: python -m tests.bench.bench_commands [runs]

Each command is told that no installation is running, so it ends as soon as it begins to do something. The least
of all runs counts. Beside it stands Python with the library of the command line alone.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Final

from deploy.local.paths import ROOT

LIMIT_S: Final = 0.25
COMMANDS: Final = (["help"], ["status"], ["people", "list"], ["draw", "status"])


def least(command: Sequence[str], runs: int, folder: str) -> tuple[float, float]:
    """Return the least wall time and the least processor time of the runs, in seconds."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "KUJI_INSTALLATION": f"{folder}/none",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    walls, processors = [], []
    for _ in range(runs):
        before, begun = os.times(), time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)
        walls.append(time.perf_counter() - begun)
        after = os.times()
        processors.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(walls), min(processors)


def main() -> None:
    """Print the figures."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        for name, command in (
            ("python with typer alone", [sys.executable, "-c", "import typer, typer._adapters"]),
            *((f"./kuji {' '.join(each)}", [sys.executable, "-m", "deploy.cli", *each]) for each in COMMANDS),
        ):
            wall, processor = least(command, runs, folder)
            sys.stdout.write(f"{name:28} {wall:.2f} s, processor time {processor:.2f} s (limit {LIMIT_S} s)\n")


if __name__ == "__main__":
    main()
