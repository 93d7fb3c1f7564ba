"""Files that survive a crash whole: written in one step, or created once by the first of several processes.

Both operations sync the file and its folder (fsync(2)), so that the content is on the disk when they return.
Standard library only: the tools of the edge use this module on hosts without the other packages.
"""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

PRIVATE = 0o600
"""Mode of files that only their owner may read; the default."""


def write_atomic(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Replace `path` by a file with this content. A reader or a crash meets the old file or the new one, whole."""
    _write_draft(path, content, mode).replace(path)
    sync_folder(path.parent)


def create_once(path: Path, make: Callable[[], bytes], *, mode: int = PRIVATE) -> bytes:
    """Return the content of `path`; create it from `make()` where it does not exist.

    Of several processes that create it at the same time one succeeds, and all return the content of that one.
    """
    if not path.exists():
        draft = _write_draft(path, make(), mode)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        sync_folder(path.parent)
    return path.read_bytes()


def overwrite_and_remove(path: Path) -> None:
    """Overwrite the content with random bytes, then remove the file. Does nothing where there is no such file."""
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the folder's entries to the disk: without it a crash may undo a rename or a new file in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_draft(path: Path, content: bytes, mode: int) -> Path:
    """Write a hidden file with a random name beside `path`, so that renaming stays within one file system."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft
