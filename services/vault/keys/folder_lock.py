"""Lock of a key folder: processes that make or destroy keys share it, and who rotates the root key has it alone."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shared.errors import NotReadyError

LONGEST_WAIT_S: Final = 15.0
"""Longest wait for the lock by default, as KUJI_TIMEOUT_S."""

_AGAIN_S: Final = 0.02


class FolderBusyError(NotReadyError):
    """Raised when another process did not give the lock of the key folder back in time. The text says what to do."""


@contextmanager
def folder_lock(folder: Path, *, alone: bool = False, wait_s: float = LONGEST_WAIT_S) -> Iterator[None]:
    """Hold the lock inside the block. Whoever holds it waits for nothing but the disk, and the token if there is one.

    Without a token it is free after milliseconds. A token takes its time for each key, and a rotation of the root key
    asks it three times for each campaign. Waits with `time.sleep`, so services call it in a thread wherever another
    process may hold it. Raises FolderBusyError after `wait_s`.
    """
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, wait_s)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, kind: int, wait_s: float) -> None:
    ends = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                raise FolderBusyError(
                    f"another process has held the lock of the key folder for {wait_s:g} s; let ./kuji vault-keys or "
                    "./kuji backup keys end, see that the token answers, and try again"
                ) from None
            time.sleep(_AGAIN_S)
        else:
            return
