"""Structured logs: an event name and known fields, one JSON object a line, never a sentence, never a person.

A field that is not in FIELDS raises: what may be logged is a list that people read, so that no value slips
in by habit (R-C2, R-S10). Exceptions are logged by type and place, without their text.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, cast

import structlog

FIELDS = frozenset(
    {
        "application", "attempt", "attempts", "batch", "campaign", "channel", "code", "consumer", "contact", "count",
        "days", "delay_s", "draw", "duration_ms", "erasure", "error", "event_id", "event_name", "exchange", "expected",
        "failed", "host", "instance", "items", "key_id", "method", "notice", "pages", "part", "parts", "port",
        "queue", "reason", "receipt", "result", "round", "route", "seq", "service", "sha256", "size", "state",
        "status", "store", "total", "verdict", "version", "waiting_for", "where",
    }
)  # fmt: skip

_OWN = frozenset({"event", "level", "at", "source"})


def configure(service: str, level: str) -> None:
    """Send our events and the libraries' warnings to standard output as JSON lines; call once per process."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _only_known_fields,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stdout),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    root = logging.getLogger()
    root.handlers = [_LibraryHandler(service)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(source=name))


def describe(error: BaseException) -> dict[str, str]:
    """Return the loggable fields of an exception: type, a server's number of the error, and place.

    Its text may hold personal data.
    """
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f"{last.name}:{last.lineno}" if last else "unknown"
    number = getattr(error, "code", None)
    kind = type(error).__name__
    return {"error": f"{kind}:{number}" if isinstance(number, int) else kind, "where": where}


def _only_known_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    unknown = set(event) - FIELDS - _OWN
    if unknown:
        raise ValueError(f"not a log field: {', '.join(sorted(unknown))}; see FIELDS in shared/logging.py")
    return event


class _LibraryHandler(logging.Handler):
    """Warnings of libraries: who warned and where, without the text, which may quote what it was given."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def emit(self, record: logging.LogRecord) -> None:
        fields = {"service": self._service, "where": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            fields |= describe(record.exc_info[1])
        get_logger(record.name).warning("library-warning", **fields)
