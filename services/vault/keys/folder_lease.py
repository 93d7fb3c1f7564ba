"""Lease of the one vault process, of all hosts, that changes or destroys files of the key folder.

New keys need none: a file is linked into place whole, and of two that are made at once one stays (ADR 7). Nor does the
mark of a sealed vault, which takes away only, and must not wait for a database.
"""

from typing import Final

from shared.storage import ExclusiveLease, Store

KEYS_LEASE: Final = "keys"


def keys_lease(store: Store) -> ExclusiveLease:
    """Return the lease; to be held around each change."""
    return ExclusiveLease(store.db, KEYS_LEASE)
