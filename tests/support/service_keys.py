"""Service keys of a test session: one folder with the private keys of all services, named by KUJI_SERVICE_KEYS_DIR."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from deploy.local.service_keys import KeyFolders
from shared.contracts import ROUTES, SERVICES, Event
from shared.ids import EventId, new_event_id
from shared.messaging.envelope import Envelope
from shared.service_keys import ServiceKey

_VARIABLE = "KUJI_SERVICE_KEYS_DIR"


@contextmanager
def keys_in_environment(folder: Path) -> Iterator[None]:
    """Make keys in `folder` and let KUJI_SERVICE_KEYS_DIR name it."""
    KeyFolders(dict.fromkeys(SERVICES, folder)).make()
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def keys_dir() -> Path:
    """Return the folder of the session's keys."""
    return Path(os.environ[_VARIABLE])


def service_key(service: str) -> ServiceKey:
    """Return the private key of a service, with which a test plays it."""
    return _read(keys_dir(), service)


@lru_cache
def _read(folder: Path, service: str) -> ServiceKey:
    return ServiceKey(folder, service)


def signed(event: Event, event_id: EventId | None = None) -> Envelope:
    """Return the event as its service signs it: the first publisher of its route, or the service that it names."""
    publishers = next(route.publishers for route in ROUTES if route.event is type(event))
    return signed_body(event.name, event.to_json(), getattr(event, "service", publishers[0]), event_id)


def signed_body(name: str, body: bytes, publisher: str, event_id: EventId | None = None) -> Envelope:
    """Return any bytes under any name, rightly signed by `publisher`."""
    event_id = new_event_id() if event_id is None else event_id
    return Envelope(event_id, name, body, signature=service_key(publisher).sign_event(name, event_id, body))
