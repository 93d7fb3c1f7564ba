"""Commands for developers: test, bench, lock, pages."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from deploy.local.paths import ROOT
from deploy.web_build import build as pages
from shared.contracts import SERVICES

_CHECKS = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("mypy --strict", ["mypy"]),
    ("import-linter", ["import_linter_cli"]),
)


_WORKERS: Final = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "10")
"""Three processes with servers of their own, whole files to each: on two cores 14 minutes, with two processes 20."""

_QUICK: Final = ("tests/unit", "tests/contract", "-m", "not slow", *_WORKERS)


def run_tests(
    context: typer.Context,
    quick: Annotated[  # noqa: FBT002  (a flag of the command line)
        bool, typer.Option("--quick", help="While you write: checks and fast tests, about two minutes, no servers.")
    ] = False,
) -> None:
    """Run every check and every test: ruff, mypy --strict, import-linter, tsc, pytest. Arguments go to pytest."""
    if not context.args:
        for name, command in _CHECKS:
            _check(name, command)
        pages.node("node_modules/typescript/bin/tsc", "--noEmit")
        Console(stderr=True).print("[green]✓[/] tsc --strict")
    if quick:
        os.environ["KUJI_TEST_PROFILE"] = "quick"
    arguments = context.args or (_QUICK if quick else _WORKERS)
    os.chdir(ROOT)
    sys.stdout.flush()
    # The process becomes pytest: its exit status is ours, its summary the last line, and Ctrl-C reaches it once.
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606


def _check(name: str, command: list[str]) -> None:
    scripts = Path(sys.executable).parent
    program = scripts / ("lint-imports" if command[0] == "import_linter_cli" else command[0])
    finished = subprocess.run(
        [str(program), *command[1:]], cwd=ROOT, check=False, capture_output=True, text=True, env=_with_root()
    )
    console = Console(stderr=True)
    if finished.returncode:
        console.print(f"[bold red]✗ {name}[/]")
        typer.echo(finished.stdout + finished.stderr, err=True)
        raise typer.Exit(finished.returncode)
    console.print(f"[green]✓[/] {name}")


def _with_root() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def bench(
    name: Annotated[str | None, typer.Argument(help="One benchmark, e.g. draw; all where none is named.")] = None,
) -> None:
    """Measure: each figure beside its limit in the same run. Never a gate."""
    found = sorted((ROOT / "tests" / "bench").glob(f"bench_{name or '*'}.py"))
    if not found:
        raise typer.BadParameter("there is no such benchmark; see tests/bench/")
    for path in found:
        typer.echo(f"── {path.stem.removeprefix('bench_')}")
        subprocess.run([sys.executable, "-m", f"tests.bench.{path.stem}"], cwd=ROOT, check=True, env=_with_root())


def bundle() -> None:
    """Bundle the pages where their sources have changed; `up`, `demo` and `test` do so by themselves."""
    for service in pages.services():
        typer.echo(f"services/{service}/web/dist")


def lock() -> None:
    """Renew the lock files from pyproject.toml: one for development, one per service, with hashes."""
    compile_ = [
        sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--generate-hashes", "--no-emit-index-url",
        "--no-emit-find-links", "--no-header", "--python-version", "3.11", "--quiet",
    ]  # fmt: skip
    subprocess.run([*compile_, "--all-extras", "-o", "locks/dev.txt"], cwd=ROOT, check=True)
    for service in SERVICES:
        target = f"locks/{service}.txt"
        subprocess.run([*compile_, "--extra", service, "-c", "locks/dev.txt", "-o", target], cwd=ROOT, check=True)
        typer.echo(target)
