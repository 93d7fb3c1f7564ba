"""The lottery's process keeps Python's limit of recursion, which a library of its raises."""

import subprocess
import sys

PROGRAM = """
import sys
before = sys.getrecursionlimit()
import services.lottery.randomness.beacon
sys.exit(before != sys.getrecursionlimit())
"""


def test_json_nested_without_end_raises_an_exception_and_does_not_end_the_process() -> None:
    """Run a new process, because other tests import the library."""
    assert subprocess.run([sys.executable, "-c", PROGRAM], check=False, timeout=120).returncode == 0
