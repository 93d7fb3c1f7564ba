"""Commands for developers: test, bench, lock, pages."""

import os
import subprocess
import sys
from typing import Annotated, Final

import typer

from deploy.local.paths import ROOT
from shared.service_names import SERVICES

_WORKERS: Final = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "10")
"""Three processes with servers of their own, whole files to each: on two cores 14 minutes, with two processes 20."""

_QUICK: Final = ("tests/checks", "tests/unit", "tests/contract", "-m", "not slow", *_WORKERS)


def run_tests(
    context: typer.Context,
    quick: Annotated[  # noqa: FBT002  (a flag of the command line)
        bool, typer.Option("--quick", help="While you write: checks and fast tests, about two minutes, no servers.")
    ] = False,
    cluster: Annotated[  # noqa: FBT002  (as above)
        bool, typer.Option("--cluster", help="Only the suite on three broker nodes and three database members.")
    ] = False,
) -> None:
    """Run every check and every test: ruff, mypy --strict, import-linter, tsc, pytest. Arguments go to pytest.

    With --cluster, arguments are names of scenarios.
    """
    if cluster:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-m", "tests.cluster", *context.args], _with_root())  # noqa: S606
    if quick:
        os.environ["KUJI_TEST_PROFILE"] = "quick"
    arguments = context.args or (_QUICK if quick else _WORKERS)
    os.chdir(ROOT)
    sys.stdout.flush()
    # The process becomes pytest: its exit status is ours, its summary the last line, and Ctrl-C reaches it once.
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606


def _with_root() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def bench(
    name: Annotated[str | None, typer.Argument(help="One benchmark, e.g. draw; all where none is named.")] = None,
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments of that benchmark.")] = None,
) -> None:
    """Measure: each figure beside its limit in the same run. Never a gate."""
    found = sorted((ROOT / "tests" / "bench").glob(f"bench_{name or '*'}.py"))
    if not found:
        raise typer.BadParameter("there is no such benchmark; see tests/bench/")
    for path in found:
        typer.echo(f"── {path.stem.removeprefix('bench_')}")
        command = [sys.executable, "-m", f"tests.bench.{path.stem}", *(arguments or [])]
        subprocess.run(command, cwd=ROOT, check=True, env=_with_root())


def bundle() -> None:
    """Bundle the pages where their sources have changed; `up`, `demo` and `test` do so by themselves."""
    from deploy.web_build import build as pages  # noqa: PLC0415

    for service in pages.services():
        typer.echo(f"services/{service}/web/dist")


def lock() -> None:
    """Renew the lock files from pyproject.toml: one for development, one per service, one for a vault with a token."""
    compile_ = [
        sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--generate-hashes", "--no-emit-index-url",
        "--no-emit-find-links", "--no-header", "--python-version", "3.11", "--quiet",
    ]  # fmt: skip
    subprocess.run([*compile_, "--all-extras", "-o", "locks/dev.txt"], cwd=ROOT, check=True)
    for name, extras in {**{service: (service,) for service in SERVICES}, "vault-token": ("vault", "token")}.items():
        target = f"locks/{name}.txt"
        wanted = [part for extra in extras for part in ("--extra", extra)]
        subprocess.run([*compile_, *wanted, "-c", "locks/dev.txt", "-o", target], cwd=ROOT, check=True)
        typer.echo(target)
