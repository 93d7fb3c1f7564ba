"""Programs of the pages, run by the same node that bundled them: asked in JSON, answered in JSON."""

import atexit
import json
import selectors
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from deploy.web_build import build as pages

Ask = Callable[[str, Any], Any]

_PROGRAMS: Final = Path(__file__).resolve().parents[1] / "web"
_ANSWER_S: Final = 240.0


def bundled(name: str, folder: Path) -> Ask:
    """`ask("judge", question)`: what tests/web/<name> answers. One process answers all questions (serve.ts).

    A question that fails raises AssertionError with the program's stack.
    """
    pages.ensure_libraries()
    program = folder / f"{name.removesuffix('.ts')}.mjs"
    pages.node("deploy/web_build/bundle.mjs", str(_PROGRAMS / name), str(program))
    running = subprocess.Popen(
        [pages.node_program(), str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    atexit.register(_end, running)
    assert running.stdin is not None
    assert running.stdout is not None
    questions, answers = running.stdin, running.stdout
    waiting = selectors.DefaultSelector()
    waiting.register(answers, selectors.EVENT_READ)

    def ask(what: str, question: Any) -> Any:
        questions.write(f"{json.dumps([what, question])}\n")
        questions.flush()
        assert waiting.select(_ANSWER_S), f"{name} gave no answer to {what} within {_ANSWER_S:.0f} s"
        reply = json.loads(answers.readline())
        assert "failed" not in reply, reply["failed"]
        return reply.get("answer")

    return ask


def _end(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=10)
