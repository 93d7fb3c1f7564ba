"""Name the list of applications of which the vault says that it searched all of them for one person twice. Pure.

The vault makes the name of what it searched, and the lottery of what it would draw: they freeze by the same list only.
"""

import hashlib
from collections.abc import Iterable

from shared.ids import Receipt


def name_list(listed: Iterable[tuple[Receipt, int, int]]) -> str:
    """Return SHA-256 (hex) of receipt number, version and revision of each application that is accepted or held."""
    digest = hashlib.sha256(b"kuji/searched-list/1\n")
    for receipt, version, revision in sorted(listed):
        digest.update(f"{receipt} {version} {revision}\n".encode())
    return digest.hexdigest()
