"""Choose where the tests keep their temporary files: in memory where the machine has room for them.

The servers of the tests wait for the disk at every confirmed message and every committed transaction. A file in
memory survives a killed process just as a file on the disk does; only a power cut would tell them apart.
"""

import os
import shutil
from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108  (pytest makes a private folder below it)
_MEMORY_INFORMATION: Final = Path("/proc/meminfo")

NEEDED_BYTES: Final = 8 * 2**30
"""Free memory from which it is used: a run of all tests writes 3 GB, and its servers and browsers need some, too."""


def folder_in_memory(folder: Path = SHARED_MEMORY, *, needed_bytes: int = NEEDED_BYTES) -> Path | None:
    """Return `folder` if it is in memory, has room, and programs in it may be run; None otherwise."""
    if not folder.is_dir() or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return None
    free = min(shutil.disk_usage(folder).free, _available_bytes())
    return folder if free >= needed_bytes else None


def _available_bytes() -> int:
    """Return the memory that programs may take without swapping; 0 where the kernel does not tell it (proc(5))."""
    try:
        lines = _MEMORY_INFORMATION.read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
