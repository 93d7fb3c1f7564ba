"""Hosts and TLS of a MongoDB connection string, read as the driver reads it. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote

from shared.hosts import is_on_one_host, is_this_machine

_PORT: Final = 27017
_LOOKED_UP: Final = "mongodb+srv://"
"""Start of a connection string whose members a name server names."""

_UNVERIFIED: Final = {"tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames"}
"""Parameters that let anybody in between answer for the server: as good as no TLS."""


def database_members(url: str) -> Iterator[tuple[str, int]]:
    """Return host and port of each member of a connection string; the host of a socket is its path."""
    after = url.partition("://")[2]
    for member in re.split("[/?]", after, maxsplit=1)[0].rpartition("@")[2].split(","):
        yield _split(unquote(member.strip()))


def has_tls(url: str) -> bool:
    """Return True where the driver speaks TLS and verifies the server; `mongodb+srv` does so unless told otherwise."""
    values = _parameters(url)
    if any(values[name] != {"false"} for name in _UNVERIFIED & values.keys()):
        return False
    wanted = values.get("tls", set()) | values.get("ssl", set())
    return wanted == {"true"} or (not wanted and is_looked_up(url))


def is_looked_up(url: str) -> bool:
    """Return True where the members are what a name server says, whatever name the connection string has."""
    return url.startswith(_LOOKED_UP)


def members_elsewhere(url: str, members: Iterable[str]) -> list[str]:
    """Return those members (`host:port`) of a replica set that the driver would reach in the clear, unasked.

    From the address it was given it follows the set's own list, to whatever machine stands there.
    """
    given = [host for host, _ in database_members(url)]
    is_allowed = next((each for each in (is_this_machine, is_on_one_host) if all(map(each, given))), None)
    stays = _parameters(url).get("directconnection") == {"true"}
    if stays or has_tls(url) or is_allowed is None:
        return []
    return [member for member in members if not is_allowed(_split(member)[0])]


def _parameters(url: str) -> dict[str, set[str]]:
    """Return all values of each parameter, as written: the driver drops `TRUE` and an empty value with a warning."""
    values: dict[str, set[str]] = {}
    for name, value in parse_qsl(url.partition("?")[2].replace(";", "&"), keep_blank_values=True):
        values.setdefault(name.lower(), set()).add(value)
    return values


def _split(member: str) -> tuple[str, int]:
    if member.startswith("/"):
        return member, _PORT
    host, port = member, ""
    if found := re.fullmatch(r"\[(.*)\](?::(\d+))?|([^:]*):(\d+)", member):
        host, port = (found[1], found[2]) if found[1] is not None else (found[3], found[4])
    return host, int(port or _PORT)
