"""Calls to the broker that end: closing without waiting for ever, and one error for whatever the client raises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractConnection

from shared.errors import KujiError
from shared.logging import describe, get_logger
from shared.messaging.errors import BrokerUnavailableError

_log = get_logger(__name__)

GOODBYE_S = 2.0
"""Longest wait for a connection or channel to close."""


async def hang_up(resource: AbstractConnection | AbstractChannel) -> None:
    """Close, but do not wait for ever: a frozen peer never answers."""
    try:
        async with asyncio.timeout(GOODBYE_S):
            await resource.close()
    except asyncio.CancelledError:
        if was_cancelled():
            raise
    except Exception as error:  # noqa: BLE001  (it is gone either way; see `answering`)
        _log.debug("link-closed", **describe(error))


@asynccontextmanager
async def answering(timeout_s: float | None) -> AsyncIterator[None]:
    """Turn every failure of the client within the block into BrokerUnavailableError, after `timeout_s` at the latest.

    A breaking link raises anything, down to a bare Exception, and cancels those who wait on it; of cancellations
    only those that were meant for our own task pass through.
    """
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except KujiError:
        raise
    except asyncio.CancelledError:
        if was_cancelled():
            raise
        raise _unavailable("ConnectionLost") from None
    except Exception as error:  # noqa: BLE001  (see above)
        raise _unavailable(type(error).__name__) from None


def was_cancelled() -> bool:
    """Return True if the running task itself was cancelled, not something that it waits on."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _unavailable(reason: str) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        f"the broker did not answer as asked ({reason}); see that it runs and that the topology is declared "
        "(python -m shared.messaging.declare), then send the same again"
    )
