"""Commands start at once: the list of commands imports none of them, and says of each what the command says itself."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest
import typer

from deploy.cli.commands import COMMANDS, Entry
from deploy.local.paths import ROOT

HEAVY = {"aio_pika", "cryptography", "fastapi", "httpx", "motor", "pydantic", "pymongo", "structlog", "uvicorn", "yaml"}
"""Packages whose import takes longer than `./kuji help` may take."""


@pytest.mark.parametrize("module", ["deploy.cli.commands", "deploy.cli.__main__", "deploy.cli.api", "deploy.cli.demo"])
def test_what_every_command_imports_is_small(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert set(ended.stdout.split()) & HEAVY == set()


@pytest.mark.parametrize("entry", COMMANDS.values(), ids=COMMANDS)
def test_the_list_says_of_each_command_what_it_says_itself(entry: Entry) -> None:
    target = getattr(import_module(f"deploy.cli.{entry.module}"), entry.attribute)
    text = target.info.help if isinstance(target, typer.Typer) else inspect.getdoc(target)
    assert entry.summary == str(text).split("\n\n")[0].replace("\n", " ")
