"""A server that is away, seen from the web: every endpoint that asks the database says 503, whichever call noticed."""

from collections.abc import AsyncIterator

from shared.storage import translate_errors


async def store_errors() -> AsyncIterator[None]:
    """Wrap an endpoint (FastAPI dependency): errors of the database driver become TransientError, and so 503."""
    with translate_errors():
        yield
