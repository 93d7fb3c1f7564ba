"""The machine's clock, for leases and waits. Deadlines of a campaign use the injected `Clock` instead."""

from datetime import UTC, datetime


def wall_now() -> datetime:
    """Return the machine's time, aware, in UTC."""
    return datetime.now(UTC)
