"""`./kuji demo`"""

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.cli.output import AsJson
from deploy.local import runs
from deploy.local.paths import RUNS, STATE


def demo(
    size: Annotated[int, typer.Option(min=50, max=100_000, help="Applications to make up.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 777,
    output: Annotated[Path | None, typer.Option(help="Folder for what is kept (default .kuji/demo).")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Run the 777-days event: sealed applications, draw, notices, postcards, erasure, certificate.

    Everything is real (RabbitMQ, MongoDB, SMTP, PDF), runs on this machine only, and is gone afterwards; the people are
    made up. Exit status 0 only if every invariant held.
    """
    from deploy.demo.run import DemoOptions, run_demo  # noqa: PLC0415  (half a second that only the demo needs)

    console = Console(stderr=as_json)
    runs.sweep(RUNS)
    home = runs.make(RUNS, "demo-")
    try:
        report = run_demo(DemoOptions(home, output or STATE / "demo", size, seed), console)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report.show(console)
    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False))
    console.print("[bold green]every invariant held[/]" if report.passed else "[bold red]an invariant is broken[/]")
    raise typer.Exit(0 if report.passed else 1)
