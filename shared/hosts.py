"""Names and addresses of hosts that a connection in the clear may lead to. Pure."""

import re
from ipaddress import ip_address
from typing import Final

_CONTAINER_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*", re.IGNORECASE)
"""A name without a dot, as a network of containers gives it. No number: resolvers take `167772165` for 10.0.0.5."""


def is_this_machine(host: str) -> bool:
    """Return True for the loopback and for paths of sockets. No name is looked up: who answers for it may change."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.startswith("/")


def is_on_one_host(host: str) -> bool:
    """Return True for this machine and for names that containers of one host give each other."""
    return is_this_machine(host) or _CONTAINER_NAME.fullmatch(host) is not None
