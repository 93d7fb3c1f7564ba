"""Free ports on loopback, so that two checkouts, and tests in several processes, run side by side."""

import contextlib
import fcntl
import os
import random
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_LOWEST: Final = 15_000
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ATTEMPTS: Final = 1_000
_RESERVED: Final = Path(f"/tmp/kuji-ports-{os.getuid()}")  # noqa: S108  (one place for all checkouts of a user)
"""File of which a process locks the byte of each port that it was given; the system lets go of them at its end."""


def free_ports(count: int) -> list[int]:
    """Return different ports that are free, and given to no other process of this user while this one lives.

    By chance, and from below those that the system gives to outgoing connections: what listens on one of these may
    start seconds later, and by then a connection of anybody's may hold a port that the system had chosen.
    """
    found = list[int]()
    candidates = _candidates()
    while len(found) < count:
        with socket.socket() as probe:
            port = next(candidates)
            if port not in _own and _binds(probe, port) and reserve(port := int(probe.getsockname()[1])):
                found.append(port)
    return found


_own: set[int] = set()
"""Ports that this process was given. Its own locks would not keep it from taking one twice."""

_lock_file: list[int] = []
"""Handle of the file of locks, once it is open. It stays open: closing any handle of it would let go of all."""


def reserve(port: int) -> bool:
    """Keep the port for this process; return False if it, or another process, has it. Without the file all may."""
    if port in _own:
        return False
    with contextlib.suppress(PermissionError, FileNotFoundError):
        if not _lock_file:
            _lock_file.append(os.open(_RESERVED, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        try:
            fcntl.lockf(_lock_file[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except BlockingIOError:
            return False
    _own.add(port)
    return True


def is_free(port: int) -> bool:
    """Return True if a program can listen on the port now."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with probe:
        return _binds(probe, port)


def _candidates() -> Iterator[int]:
    """Yield random ports, and 0 (the system chooses) after many attempts."""
    chance = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        yield chance.randrange(_LOWEST, _first_ephemeral())
    while True:
        yield 0


def _first_ephemeral() -> int:
    """32768 on most machines."""
    try:
        return max(_LOWEST + _ATTEMPTS, int(_EPHEMERAL.read_text("ascii").split()[0]))
    except (OSError, ValueError, IndexError):
        return 32_768


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def origins(ports: Mapping[str, int]) -> dict[str, str]:
    """Return the addresses of the services' pages, each with a host name that browsers resolve to this machine."""
    return {service: f"http://{service}.localhost:{port}" for service, port in ports.items()}
