"""Programs of the pages, run by the same node that bundled them: asked in JSON, answered in JSON."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from deploy.web_build import build as pages

Ask = Callable[[str, Any], Any]

_PROGRAMS: Final = Path(__file__).resolve().parents[1] / "web"


def bundled(name: str, folder: Path) -> Ask:
    """`ask("judge", question)`: what tests/web/<name> answers."""
    pages.ensure_libraries()
    program = folder / f"{name.removesuffix('.ts')}.mjs"
    pages.node("deploy/web_build/bundle.mjs", str(_PROGRAMS / name), str(program))

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
