"""Permissions on the broker: one user per service with no more than its routes need; and the definitions file.

A service configures nothing, reads its own queues, and writes to three kinds of exchanges. RabbitMQ's topic
permissions narrow that further: its own events only, and retries into its own queues only.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.contracts import ROUTES, SERVICES
from shared.errors import ConfigurationError
from shared.json_types import JsonObject
from shared.messaging.names import Names
from shared.messaging.topology import DELIVERY_LIMIT, RETRY_DELAYS_S, describe


@dataclass(frozen=True)
class Permission:
    """Regular expressions over names, as RabbitMQ takes them."""

    configure: str
    write: str
    read: str


@dataclass(frozen=True)
class TopicPermission:
    """Regular expressions over routing keys of one exchange."""

    exchange: str
    write: str
    read: str


@dataclass(frozen=True)
class User:
    """User of the broker: of one service, or (`service` None) the administrator who owns the topology."""

    name: str
    password: str
    service: str | None = None
    reads_status: bool = False
    """May ask the management interface about the copies of queues: the tag `management`, and no further right."""

    def __repr__(self) -> str:
        return f"User(name={self.name!r}, service={self.service!r})"


def permissions(service: str, namespace: str = "", retry_delays_s: Sequence[int] = RETRY_DELAYS_S) -> Permission:
    """Return the permissions of `service` on names."""
    _check_service(service)
    names = Names(namespace)
    writable = [names.events, *(names.delay_queue(delay_s) for delay_s in sorted(set(retry_delays_s)))]
    writable += [names.parked(service), names.untrusted(service)]
    return Permission(
        configure="^$", write=_one_of(writable), read=_one_of([*_own_queues(names, service), names.untrusted(service)])
    )


def topic_permissions(
    service: str, namespace: str = "", retry_delays_s: Sequence[int] = RETRY_DELAYS_S
) -> tuple[TopicPermission, ...]:
    """Return the permissions of `service` on routing keys."""
    _check_service(service)
    names = Names(namespace)
    published = [route.event.name for route in ROUTES if service in route.publishers]
    back = _one_of(_own_queues(names, service))
    return (
        TopicPermission(names.events, _one_of(published), "^$"),
        *(TopicPermission(names.delay_queue(delay_s), back, "^$") for delay_s in sorted(set(retry_delays_s))),
    )


def _check_service(service: str) -> None:
    if service not in SERVICES:
        raise ConfigurationError(f"no service of that name; there are {', '.join(SERVICES)}")


def _own_queues(names: Names, service: str) -> list[str]:
    consumed = [route.event for route in ROUTES if service in route.consumers]
    return [*(names.queue(service, event) for event in consumed), names.parked(service)]


def _one_of(texts: Iterable[str]) -> str:
    alternatives = "|".join(re.escape(text) for text in texts)
    return f"^({alternatives})$" if alternatives else "^$"


def definitions(
    users: Iterable[User],
    namespace: str = "",
    retry_delays_s: Sequence[int] = RETRY_DELAYS_S,
    delivery_limit: int = DELIVERY_LIMIT,
) -> JsonObject:
    """Return a RabbitMQ definitions document (`load_definitions`): users with their rights, and the whole topology."""
    users = list(users)
    topology = describe(namespace, retry_delays_s, delivery_limit)
    durable = {"vhost": "/", "durable": True, "auto_delete": False}
    return {
        "vhosts": [{"name": "/"}],
        "users": [_user(user) for user in users],
        "permissions": [_rights(user, namespace, retry_delays_s) for user in users],
        "topic_permissions": [
            right for user in users if user.service for right in _topic_rights(user, namespace, retry_delays_s)
        ],
        "exchanges": [
            {"name": exchange.name, "type": "topic", "internal": False, "arguments": {}, **durable}
            for exchange in topology.exchanges
        ],
        "queues": [{"name": queue.name, "arguments": dict(queue.arguments), **durable} for queue in topology.queues],
        "bindings": [
            {
                "vhost": "/",
                "source": binding.exchange,
                "destination": binding.queue,
                "destination_type": "queue",
                "routing_key": binding.routing_key,
                "arguments": {},
            }
            for binding in topology.bindings
        ],
    }


def _user(user: User) -> JsonObject:
    return {
        "name": user.name,
        "password_hash": password_hash(user.password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": (["management"] if user.reads_status else []) if user.service else ["administrator"],
    }


def password_hash(password: str, salt: bytes | None = None) -> str:
    """Return RabbitMQ's salted hash: base64 of 4 bytes of salt and SHA-256 of salt and password (passwords guide)."""
    salt = secrets.token_bytes(4) if salt is None else salt
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode("utf-8")).digest()).decode("ascii")


def _rights(user: User, namespace: str, retry_delays_s: Sequence[int]) -> dict[str, str]:
    rights = permissions(user.service, namespace, retry_delays_s) if user.service else Permission(".*", ".*", ".*")
    return {
        "user": user.name,
        "vhost": "/",
        "configure": rights.configure,
        "write": rights.write,
        "read": rights.read,
    }


def _topic_rights(user: User, namespace: str, retry_delays_s: Sequence[int]) -> list[dict[str, str]]:
    if user.service is None:
        return []
    return [
        {"user": user.name, "vhost": "/", "exchange": right.exchange, "write": right.write, "read": right.read}
        for right in topic_permissions(user.service, namespace, retry_delays_s)
    ]
