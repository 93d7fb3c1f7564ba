"""Refuse a database server that Kuji cannot trust: too old, or one that gives strangers pieces of its memory.

CVE-2025-14847: a mongod that takes zlib-compressed messages answers anybody, before any sign-in, with what lay in its
heap. The fixed versions are below; every other one is safe without zlib, which `hello` (the connection handshake)
tells, because the server names those of the offered compressors that it takes.
"""

from typing import Any, Final

from shared.errors import ConfigurationError
from shared.storage.addresses import members_elsewhere
from shared.storage.driver import Database

Version = tuple[int, ...]

OLDEST: Final[Version] = (6, 0)
"""First series with everything that the services use."""

_FIXED: Final[tuple[Version, ...]] = ((6, 0, 27), (7, 0, 28), (8, 0, 17), (8, 2, 3))
"""First fixed version of each series; series after the last of them are fixed."""


async def check_server(db: Database, url: str = "") -> None:
    """Raise ConfigurationError where the server of this database must not be used.

    `url`: the connection string, for the members to which the driver goes on from it.
    """
    build = await db.command("buildInfo")
    hello = await db.command({"hello": 1, "compression": ["zlib"]})
    mistake = mistake_of(version_of(build), takes_zlib="zlib" in hello.get("compression", ()))
    if mistake is not None:
        raise ConfigurationError(mistake)
    others = members_elsewhere(url, [*hello.get("hosts", ()), *hello.get("passives", ())]) if url else []
    if others:
        raise ConfigurationError(
            f"the replica set of KUJI_MONGO_URL has a member on another machine ({others[0]}), to which the driver "
            "goes on in the clear; use TLS to it (docs/operations.md, “TLS to broker and database”)"
        )


def mistake_of(version: Version, *, takes_zlib: bool) -> str | None:
    """Return why a server must not be used and what to do about it; None where it may be."""
    name = ".".join(map(str, version))
    if version < OLDEST:
        return f"MongoDB {name} is too old; install {'.'.join(map(str, OLDEST))} or later"
    if takes_zlib and not _is_fixed(version):
        fixed = ", ".join(".".join(map(str, each)) for each in _FIXED)
        return (
            f"MongoDB {name} gives away its memory by zlib (CVE-2025-14847); start it with "
            f"--networkMessageCompressors disabled (or snappy,zstd), or install a fixed version ({fixed} or later)"
        )
    return None


def version_of(build: dict[str, Any]) -> Version:
    """Return the three numbers of the server's version."""
    return tuple(int(number) for number in build["versionArray"][:3])


def _is_fixed(version: Version) -> bool:
    series = next((fixed for fixed in _FIXED if fixed[:2] == version[:2]), None)
    return version > _FIXED[-1] if series is None else version >= series
