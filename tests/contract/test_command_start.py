"""Commands start at once: the list of commands imports none of them, and says of each what the command says itself."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest
import typer

from deploy.cli.commands import COMMANDS, Entry
from deploy.local.paths import ROOT

HEAVY = {
    "aio_pika",
    "cryptography",
    "fastapi",
    "httpx",
    "motor",
    "pydantic",
    "pymongo",
    "structlog",
    "uvicorn",
    "yaml",
    "numpy",
    "pikepdf",
    "PIL",
}
"""Packages whose import takes longer than `./kuji help` may take."""


MODULES = sorted(
    {"deploy.cli.__main__", "deploy.cli.api", *(f"deploy.cli.{entry.module}" for entry in COMMANDS.values())}
)


def test_what_commands_import_before_they_do_something_is_small() -> None:
    """Import them all in one process: a heavy package is named with the first command that brings it."""
    script = (
        "import sys; from importlib import import_module\n"
        f"for module in {MODULES!r}:\n"
        f"    import_module(module); found = {HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}\n"
        "    if found: print(module, *sorted(found)); break\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert ended.stdout == ""


@pytest.mark.parametrize("entry", COMMANDS.values(), ids=COMMANDS)
def test_the_list_says_of_each_command_what_it_says_itself(entry: Entry) -> None:
    target = getattr(import_module(f"deploy.cli.{entry.module}"), entry.attribute)
    text = target.info.help if isinstance(target, typer.Typer) else inspect.getdoc(target)
    assert entry.summary == str(text).split("\n\n")[0].replace("\n", " ")
