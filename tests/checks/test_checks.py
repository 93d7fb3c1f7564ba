"""Checks of the whole program, among the tests so that no processor waits: ruff, mypy, import-linter, tsc."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.paths import ROOT
from deploy.web_build import build as pages

_SCRIPTS = Path(sys.executable).parent
_WITH_ROOT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "command",
    [["mypy"], ["lint-imports"], ["ruff", "check", "."], ["ruff", "format", "--check", "."]],
    ids=["mypy", "import-linter", "ruff-check", "ruff-format"],
)
def test_the_program_passes(command: list[str]) -> None:
    program, *arguments = command
    finished = subprocess.run(
        [str(_SCRIPTS / program), *arguments], cwd=ROOT, check=False, capture_output=True, text=True, env=_WITH_ROOT
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.timeout(900)
def test_the_types_of_the_pages_are_right() -> None:
    pages.node("node_modules/typescript/bin/tsc", "--noEmit")
