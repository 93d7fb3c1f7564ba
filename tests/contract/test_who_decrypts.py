"""Only the vault's code can decrypt: nobody else as much as names the means (R-C2, R-C9)."""

import ast
from collections.abc import Iterator
from pathlib import Path

DECRYPTION = ("hpke", "mlkem", "x25519", "aead", "AESGCM", "ChaCha20Poly1305", "Fernet", "pyrage")
ALLOWED_CIPHER = Path("services/lottery/allocation/tickets.py")
"""The draw's public permutation; its key is published."""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in Path(folder).rglob("*.py"))


def test_nobody_but_the_vault_imports_the_means_to_decrypt():
    files = [path for path in python_files("services", "shared") if not path.is_relative_to("services/vault")]
    assert len(files) > 80
    found = {f"{path}: {name}" for path in files for name in imported(path) if set(name.split(".")) & set(DECRYPTION)}
    assert found == set()


def test_ciphers_outside_the_vault_are_the_draws_public_permutation_only():
    files = [path for path in python_files("services", "shared") if not path.is_relative_to("services/vault")]
    users = {path for path in files if any("ciphers" in name for name in imported(path))}
    assert users == {ALLOWED_CIPHER}


def test_applications_are_opened_in_one_place_and_identities_in_one_place():
    vault = python_files("services/vault")
    openers = {path.name for path in vault if any(name.endswith("primitives.hpke") for name in imported(path))}
    assert openers == {"campaign_keys.py", "opening.py"}
    ciphers = {path.name for path in vault if any("AESGCM" in name for name in imported(path))}
    assert ciphers == {"envelope.py"}
