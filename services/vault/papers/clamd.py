"""Scan for malware with clamd (R-S9): its INSTREAM command, over a Unix socket or TCP.

Source: clamd(8), section COMMANDS: `zINSTREAM`, then chunks of a 4-byte length (network order) and bytes, ended by a
length of zero; the answer is `stream: OK` or `stream: <signature> FOUND`, ended by a zero byte.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from services.vault.settings import VaultSettings
from shared.cleartext import refuse_hosts
from shared.errors import ConfigurationError, NotReadyError

_CHUNK: Final = 256 * 1024


class ScannerUnavailableError(NotReadyError):
    """Raised when clamd does not answer, or not as documented; papers wait until it does."""


@dataclass(frozen=True)
class Scanner:
    """Client of clamd. `url` is `unix:/run/clamav/clamd.ctl` or `tcp://host:3310`; None without a scanner."""

    url: str | None
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        if self.url is not None and urlsplit(self.url).scheme not in {"unix", "tcp"}:
            raise ConfigurationError("KUJI_CLAMD_URL must begin with unix: or tcp://, e.g. unix:/run/clamav/clamd.ctl")

    @classmethod
    def of(cls, settings: VaultSettings) -> Self:
        """Return the scanner of the settings. Raises ConfigurationError for one on another machine: it has no TLS."""
        host = None if settings.clamd_url is None else urlsplit(settings.clamd_url).hostname
        if host is not None and settings.clock_file is None:
            advice = "scan papers on this machine (unix:/run/clamav/clamd.ctl)"
            refuse_hosts("KUJI_CLAMD_URL", [host], advice, one_host=settings.one_host_network)
        return cls(settings.clamd_url, settings.clamd_timeout_s)

    @property
    def is_set(self) -> bool:
        """Return False where nothing scans papers."""
        return self.url is not None

    async def is_infected(self, data: bytes) -> bool:
        """Return True if clamd found malware; False also without a scanner. Raises ScannerUnavailableError."""
        if self.url is None:
            return False
        try:
            async with asyncio.timeout(self.timeout_s), _connected(self.url) as (reader, writer):
                answer = await _ask(data, reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ScannerUnavailableError(f"clamd does not answer ({type(error).__name__})") from None
        if answer.endswith(b" FOUND"):
            return True
        if answer != b"stream: OK":
            raise ScannerUnavailableError("clamd could not scan; see its log, and StreamMaxLength of at least 8M")
        return False


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    where = urlsplit(url)
    if where.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(where.path)
    else:
        reader, writer = await asyncio.open_connection(where.hostname, where.port or 3310)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _ask(data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"zINSTREAM\0")
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        writer.write(len(chunk).to_bytes(4, "big") + chunk)
        await writer.drain()
    writer.write(bytes(4))
    await writer.drain()
    return (await reader.readuntil(b"\0")).rstrip(b"\0")
