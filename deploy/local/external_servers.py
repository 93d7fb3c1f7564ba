"""External servers (KUJI_AMQP_URL, KUJI_MONGO_URL): prepared for one installation, and left as found."""

import asyncio
import contextlib
from collections.abc import Iterable

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.processes import LocalError
from shared.messaging.topology import declare, remove

_TIMEOUT_S = 15.0


def prepare_broker(url: str, namespace: str) -> None:
    """Queues and exchanges of this installation. Raises LocalError."""
    try:
        asyncio.run(declare(url, namespace, timeout_s=_TIMEOUT_S))
    except OSError as error:  # TimeoutError, and what the client raises for a broker that is away or refuses
        raise LocalError(
            f"KUJI_AMQP_URL does not answer, or refuses the user ({type(error).__name__}); "
            "start that broker, correct the URL, or unset it for a private one"
        ) from None


def clear_broker(url: str, namespace: str) -> None:
    """Remove all queues and exchanges of `namespace`. A broker that does not answer is skipped."""
    with contextlib.suppress(OSError):
        asyncio.run(remove(url, namespace, timeout_s=_TIMEOUT_S))


def clear_databases(url: str, databases: Iterable[str]) -> None:
    with (
        contextlib.suppress(PyMongoError),
        MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=int(_TIMEOUT_S * 1000)) as client,
    ):
        for database in databases:
            client.drop_database(database)
