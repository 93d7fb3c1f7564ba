"""Confine the process that decodes papers: system calls for memory and pipes, and nothing else (attack a14).

A filter of seccomp(2) refuses every call that is not listed, with EPERM: no file, no socket, no process, no signal, no
other process's memory, no new executable memory. It holds for all threads and cannot be taken off again.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.process_rights import keep_memory_private

NOT_CONFINED: Final = 70
"""Exit status of the process where the system does not let it give up its rights."""

_SET_NO_NEW_PRIVILEGES: Final = 38
_SET_MODE_FILTER, _ALL_THREADS = 1, 1

_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
"""BPF: load a word of the call's data, jump if it equals, jump if it has a bit of, return."""

_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000
"""Answers of the filter: allow, fail with EPERM, kill the process."""

_NUMBER, _ARCHITECTURE, _THIRD_ARGUMENT = 0, 4, 32
"""Offsets in `struct seccomp_data`; of an argument the lower half, on little-endian machines."""

_EXECUTABLE: Final = 4
"""PROT_EXEC, in the third argument of mmap and mprotect."""


class NotConfinedError(Exception):
    """Raised when the filter cannot be set; then nothing may be decoded."""


@dataclass(frozen=True)
class Machine:
    """Numbers of one processor architecture. `audit`: its AUDIT_ARCH. `seccomp`: number of that call."""

    audit: int
    seccomp: int
    calls: Mapping[str, int]
    memory: Mapping[str, int]


_X86_64: Final = Machine(
    0xC000003E,
    317,
    {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "munmap": 11, "brk": 12, "rt_sigaction": 13,
        "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28, "getpid": 39,
        "exit": 60, "sigaltstack": 131, "gettid": 186, "futex": 202, "restart_syscall": 219, "clock_gettime": 228,
        "exit_group": 231, "getrandom": 318,
    },
    {"mmap": 9, "mprotect": 10},
)  # fmt: skip
_ARM_64: Final = Machine(
    0xC00000B7,
    277,
    {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "munmap": 215, "brk": 214,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "sched_yield": 124, "mremap": 216,
        "madvise": 233, "getpid": 172, "exit": 93, "sigaltstack": 132, "gettid": 178, "futex": 98,
        "restart_syscall": 128, "clock_gettime": 113, "exit_group": 94, "getrandom": 278,
    },
    {"mmap": 222, "mprotect": 226},
)  # fmt: skip
MACHINES: Final[Mapping[str, Machine]] = {"x86_64": _X86_64, "aarch64": _ARM_64}


def confine() -> None:
    """Give up every right but to compute on what is in memory, and to read and write the handles that are open.

    Call it after everything is loaded. Raises NotConfinedError.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise NotConfinedError("this kind of processor")
    keep_memory_private()
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise NotConfinedError(os.strerror(ctypes.get_errno()))
    program = write_filter(machine)
    content = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(content))
    if library.syscall(machine.seccomp, _SET_MODE_FILTER, _ALL_THREADS, header) != 0:
        raise NotConfinedError(os.strerror(ctypes.get_errno()))


def write_filter(machine: Machine) -> bytes:
    """Return the program of the filter: instructions of eight bytes."""
    return b"".join(_instructions(machine))


def _instructions(machine: Machine) -> Iterable[bytes]:
    yield _instruction(_LOAD, _ARCHITECTURE)
    yield _instruction(_IF_EQUAL, machine.audit, then=1)
    yield _instruction(_RETURN, _KILL)
    yield _instruction(_LOAD, _NUMBER)
    for number in machine.calls.values():
        yield _instruction(_IF_EQUAL, number, otherwise=1)
        yield _instruction(_RETURN, _ALLOW)
    for number in machine.memory.values():
        yield _instruction(_IF_EQUAL, number, otherwise=4)
        yield _instruction(_LOAD, _THIRD_ARGUMENT)
        yield _instruction(_IF_ANY_BIT, _EXECUTABLE, then=1)
        yield _instruction(_RETURN, _ALLOW)
        yield _instruction(_RETURN, _REFUSE)
    yield _instruction(_RETURN, _REFUSE)


def _instruction(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """Return `struct sock_filter`; `then` and `otherwise` are the instructions that a jump leaves out."""
    return struct.pack("HBBI", code, then, otherwise, value)
