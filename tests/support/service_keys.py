"""Service keys of a test session: one folder with the private keys of all services, named by KUJI_SERVICE_KEYS_DIR."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.service_keys import KeyFolders
from shared.contracts import SERVICES
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
    return ServiceKey(keys_dir(), service)
