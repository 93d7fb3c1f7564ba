"""Give up what a process does not need: dumps of its memory, and being read by other processes of the same user.

Linux only; by prctl(2), setrlimit(2), mlockall(2) of the C library, because Python has no names for them.
"""

import ctypes
import os
import resource
from pathlib import Path
from typing import Final

from shared.errors import ConfigurationError

_SET_DUMPABLE: Final = 4
_LOCK_CURRENT, _LOCK_FUTURE, _LOCK_ON_FAULT = 1, 2, 4
_IPC_LOCK: Final = 1 << 14
"""Bit of CAP_IPC_LOCK in the effective capabilities."""


def protect_memory() -> None:
    """Do both of the following, before a key is in memory. Raises ConfigurationError."""
    keep_memory_private()
    lock_memory()


def keep_memory_private() -> None:
    """Write no core file, and be read by no process of the same user (/proc/PID/mem, ptrace, process_vm_readv).

    Raises ConfigurationError where the system refuses: a vault that can be read must not open its keys.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise ConfigurationError(f"the process cannot be made unreadable ({os.strerror(ctypes.get_errno())})")


def lock_memory() -> bool:
    """Keep the process's memory out of the swap where the system allows it for all of it; return False elsewhere.

    Pages are locked as they are first used, so that nothing is loaded that is not used. Under a limit (RLIMIT_MEMLOCK)
    nothing is locked: the first allocation beyond it would fail.
    """
    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    if not unlimited and not _effective_capabilities() & _IPC_LOCK:
        _warn("limit")
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if library.mlockall(_LOCK_CURRENT | _LOCK_FUTURE | _LOCK_ON_FAULT) != 0:
        _warn(os.strerror(ctypes.get_errno()))
        return False
    return True


def _warn(reason: str) -> None:
    from shared.logging import get_logger  # noqa: PLC0415  (a decoder starts for every page, and logs nothing)

    get_logger(__name__).warning("memory-not-locked", reason=reason)


def _effective_capabilities() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
