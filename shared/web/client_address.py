"""Count callers by their IP address without keeping it."""

import hashlib
import ipaddress
import secrets
from typing import Final

from fastapi import Request

_IPV6_HOUSEHOLD: Final = 64
"""Bits of the prefix that one connection gets (RFC 6177)."""


class AddressHash:
    """Keyed hash of addresses. The key ends with the object: then the hashes say nothing any more."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, request: Request) -> int:
        """Return the hash of the caller's address as the proxy reports it; of an IPv6 address that of its /64."""
        address = request.client.host if request.client else ""
        return int.from_bytes(hashlib.blake2b(group_address(address).encode(), key=self._key, digest_size=8).digest())


def group_address(address: str) -> str:
    """Return the address, or the /64 of an IPv6 address: one connection has all of it."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> _IPV6_HOUSEHOLD:x}::/{_IPV6_HOUSEHOLD}"
