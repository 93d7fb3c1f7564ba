"""External servers (KUJI_AMQP_URL, KUJI_MONGO_URL): prepared for one installation, and left as found."""

import asyncio
import sys
from collections.abc import Iterable

from aio_pika.exceptions import AMQPError
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.processes import LocalError
from shared.errors import ConfigurationError
from shared.messaging.topology import declare, remove

_TIMEOUT_S = 15.0


def prepare_broker(url: str, namespace: str) -> None:
    """Queues and exchanges of this installation. Raises LocalError."""
    try:
        asyncio.run(declare(url, namespace, timeout_s=_TIMEOUT_S))
    except (OSError, AMQPError) as error:  # also TimeoutError, and what a broker that is away or refuses raises
        raise LocalError(
            f"KUJI_AMQP_URL does not answer, or refuses the user ({type(error).__name__}); "
            "start that broker, correct the URL, or unset it for a private one"
        ) from None


def clear_broker(url: str, namespace: str) -> None:
    """Remove all queues and exchanges of `namespace`. Prints what stays behind; the rest of the stopping goes on."""
    try:
        asyncio.run(remove(url, namespace, timeout_s=_TIMEOUT_S))
    except (OSError, AMQPError, ConfigurationError) as error:
        _tell("the queues of this installation stay on the broker of KUJI_AMQP_URL", error)


def clear_databases(url: str, databases: Iterable[str]) -> None:
    """Drop the databases. Prints what stays behind; the rest of the stopping goes on."""
    try:
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=int(_TIMEOUT_S * 1000)) as client:
            for database in databases:
                client.drop_database(database)
                client.drop_database(f"{database}_audit")
    except PyMongoError as error:
        _tell("the databases of this installation stay on the server of KUJI_MONGO_URL", error)


def _tell(what_stays: str, error: Exception) -> None:
    sys.stderr.write(f"{what_stays} ({type(error).__name__}); remove them by hand once the server answers\n")
