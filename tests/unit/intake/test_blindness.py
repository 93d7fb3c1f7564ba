"""Intake cannot open applications: its process does not load the modules that could."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

LOADED = (
    "import sys, services.intake.__main__; "
    "print('\\n'.join(f'{name} {getattr(module, \"__file__\", None)}' for name, module in sys.modules.items()))"
)
OPENERS = ("cryptography.hazmat.primitives.hpke", "cryptography.hazmat.primitives.ciphers.aead")
STRANGERS = ("services.vault", "services.lottery", "services.notifier", "deploy", "tests")


@pytest.fixture(scope="module")
def loaded_modules() -> dict[str, str]:
    """Return every module in a process of intake, with its file."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def imported_by(file: Path) -> set[str]:
    """Return the top-level packages that a source file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_a_process_of_intake_loads_no_module_that_opens_and_no_other_service(loaded_modules: dict[str, str]):
    assert "services.intake.app" in loaded_modules
    assert not [name for name in loaded_modules if name in OPENERS]
    strangers = tuple(f"{stranger}." for stranger in STRANGERS)
    assert not [name for name in loaded_modules if f"{name}.".startswith(strangers)]


def test_only_signatures_and_certificates_need_cryptography_in_that_process(loaded_modules: dict[str, str]):
    """Check every module of ours: `shared.transport` reads certificates. The MongoDB driver loads it, too."""
    ours = {name: Path(file) for name, file in loaded_modules.items() if name.split(".")[0] in {"services", "shared"}}
    assert len(ours) > 30
    assert {name for name, file in ours.items() if "cryptography" in imported_by(file)} <= {
        "shared.signing",
        "shared.transport",
    }
