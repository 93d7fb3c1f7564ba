"""Progress of the demo on the screen: one line per phase with a bar and the time taken."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


@dataclass
class PhaseProgress:
    """Shows phases and keeps how long each took, in seconds."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str, title: str, total: int | None = None) -> Iterator["PhaseBar"]:
        """Show one phase while the block runs; `name` is for the report, `title` for the screen."""
        started = time.monotonic()
        with Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        ) as progress:
            task = progress.add_task(title, total=total)
            bar = PhaseBar(progress, task)
            yield bar
            bar.finish()
        self.seconds[name] = round(time.monotonic() - started, 2)


@dataclass(frozen=True)
class PhaseBar:
    """The bar of one phase."""

    progress: Progress
    task: TaskID

    def to(self, done: int, total: int | None = None) -> None:
        if total is None:
            self.progress.update(self.task, completed=done)
        else:
            self.progress.update(self.task, completed=done, total=total)

    def step(self, by: int = 1) -> None:
        self.progress.advance(self.task, by)

    def finish(self) -> None:
        total = self.progress.tasks[0].total or max(1, self.progress.tasks[0].completed)
        self.progress.update(self.task, total=total, completed=total)
