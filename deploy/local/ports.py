"""Free ports on loopback, so that two checkouts run side by side."""

import random
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_LOWEST: Final = 15_000
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ATTEMPTS: Final = 1_000


def free_ports(count: int) -> list[int]:
    """Return different ports that were free a moment ago: each stays bound until all are known.

    By chance, and from below those that the system gives to outgoing connections: what listens on one of these may
    start seconds later, and by then a connection of anybody's may hold a port that the system had chosen.
    """
    probes: list[socket.socket] = []
    candidates = _candidates()
    try:
        while len(probes) < count:
            probe = socket.socket()
            probes.append(probe)
            while not _binds(probe, next(candidates)):
                pass
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


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
