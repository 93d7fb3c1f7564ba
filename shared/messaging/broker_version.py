"""The oldest RabbitMQ that keeps what the topology promises."""

from collections.abc import Mapping
from typing import Any, Final

from aio_pika.abc import AbstractConnection

from shared.logging import get_logger
from shared.messaging.errors import BrokerTooOldError

_log = get_logger(__name__)

OLDEST: Final = (3, 10)
"""First version whose quorum queues have a time to live and hand dead letters on at least once: the delay queues."""


def check_version(connection: AbstractConnection) -> None:
    """Raise BrokerTooOldError, with an error in the log, for a broker older than `OLDEST`."""
    version = "unknown" if connection.transport is None else _text(connection.transport.connection.server_properties)
    if numbers_of(version) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        _log.error("broker-too-old", version=version, expected=oldest)
        raise BrokerTooOldError(version, oldest)


def numbers_of(version: str) -> tuple[int, ...]:
    """Return major and minor number of a version (`3.10.8`, `4.1.0-rc.1`); nothing where it has none."""
    parts = version.split(".")[:2]
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


def _text(properties: Mapping[str, Any]) -> str:
    value = properties.get("version")
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text if text.replace(".", "").replace("-", "").isalnum() else "unknown"
