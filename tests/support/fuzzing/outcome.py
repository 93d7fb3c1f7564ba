"""Findings of fuzzing one target: errors that nobody handled, repeated input, and memory that stays taken."""

import gc
import io
import logging as library
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Final

import psutil
import structlog

from shared import logging

CANARY: Final = "zqx_canary"
"""Word in the made-up values; where it appears in an answer or a log, input was repeated. No id has its form."""

MOST_GROWTH: Final = 16 * 2**20
"""Bytes by which the process may have grown after the inputs of one target; leaks of 2 KB an input exceed it."""

_REPORTED: Final = 5

_FEWEST_FOR_MEMORY: Final = 200


@dataclass
class Outcome:
    """Findings for one target. `grown`: bytes after its second half of inputs, beyond those after the first."""

    target: str
    inputs: int = 0
    errors: int = 0
    echoes: int = 0
    grown: int = 0
    slowest_s: float = 0.0
    examples: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        return not (self.errors or self.echoes or self.grown > MOST_GROWTH)

    def count(self, status: str, seconds: float) -> None:
        """Count an input and what became of it."""
        self.inputs += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.slowest_s = max(self.slowest_s, seconds)

    def error(self, example: str) -> None:
        """Note an error that nobody handled."""
        self.errors += 1
        self._show(f"error: {example}")

    def echo(self, example: str) -> None:
        """Note repeated input."""
        self.echoes += 1
        self._show(f"echo: {example}")

    def _show(self, example: str) -> None:
        if len(self.examples) < _REPORTED and example not in self.examples:
            self.examples.append(example)

    def row(self) -> str:
        """Return a row of a table in Markdown."""
        return (
            f"| {self.target} | {self.inputs:,} | {self.errors} | {self.echoes} "
            f"| {self.grown / 2**20:.1f} of {MOST_GROWTH // 2**20} MiB | {self.slowest_s * 1000:.0f} ms |"
        )


HEAD: Final = (
    "| target | inputs | unhandled errors | echoes | memory growth | slowest |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: |"
)


class Watch:
    """Compares the memory of the process after each half of a target's inputs: the first half fills caches."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome, self._process, self._half = outcome, psutil.Process(), 0

    def half(self) -> None:
        """Note the memory after the first half of the inputs."""
        gc.collect()
        self._half = self._process.memory_info().rss

    def end(self) -> None:
        """Note the growth since then."""
        gc.collect()
        self._outcome.grown = max(0, self._process.memory_info().rss - self._half)


class _Logs(io.StringIO):
    """Text that is searched for the canary and dropped; only what was found is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def write(self, text: str) -> int:
        if CANARY in text.lower():
            self.found.append(text[:300])
        return len(text)


@contextmanager
def watched_logs() -> Iterator[_Logs]:
    """Let the services of this process write their logs as in production, and yield what watches them."""
    logs, before = _Logs(), library.getLogger().handlers[:]
    level = library.getLogger().level
    try:
        with redirect_stdout(logs):
            logging.configure("fuzz", "debug")
            yield logs
    finally:
        structlog.reset_defaults()
        library.captureWarnings(capture=False)
        library.getLogger().handlers = before
        library.getLogger().setLevel(level)


@contextmanager
def watched_inputs(outcome: Outcome, count: int) -> Iterator[Iterator[int]]:
    """Yield the numbers of `count` inputs; note the memory they left and the canaries that stood in the logs.

    Few inputs leave nothing that could be told from noise, and collecting garbage costs more than they do.
    """
    watch = Watch(outcome) if count >= _FEWEST_FOR_MEMORY else None

    def numbers() -> Iterator[int]:
        for number in range(count):
            yield number
            if watch and number == count // 2:
                watch.half()

    with watched_logs() as logs:
        yield numbers()
    if watch:
        watch.end()
    for line in logs.found:
        outcome.echo(f"log {line}")


def say(text: str) -> None:
    """Tell how far the long run is, past the watched logs."""
    sys.__stderr__.write(text + "\n")  # type: ignore[union-attr]
