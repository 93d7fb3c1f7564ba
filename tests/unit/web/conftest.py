"""The form's own modules, run by the same node that bundled them: asked in JSON, answered in JSON."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy import pages

Ask = Callable[[str, Any], Any]
PROGRAM = Path(__file__).resolve().parents[2] / "web" / "asked.ts"


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """`ask("judge", question)`: what tests/web/asked.ts answers."""
    pages.ensure_libraries()
    program = tmp_path_factory.mktemp("web") / "asked.mjs"
    pages.node("deploy/pages.mjs", str(PROGRAM), str(program))

    def ask(what: str, question: Any) -> Any:
        finished = subprocess.run(
            [pages.node_program(), str(program), what],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return json.loads(finished.stdout)

    return ask
