"""Addresses of the broker's nodes, read from one setting. Pure."""

import re
from urllib.parse import urlsplit

from shared.errors import ConfigurationError

_URL = re.compile(r"(?P<start>amqps?://(?:[^/?#@]*@)?)(?P<hosts>[^/?#@]+)(?P<rest>[/?#](?!.*://).*)?")
_NEXT_URL = re.compile(r",\s*(?=amqps?://)")


def parse_addresses(setting: str) -> tuple[str, ...]:
    """Return one URL for each node, in order.

    Nodes are separated by commas, as in `amqp://user:password@host1:5672,host2:5672/vhost`, or as whole URLs.
    Raises ConfigurationError, which never shows the setting: it holds the password.
    """
    addresses = tuple(address for url in _NEXT_URL.split(setting.strip()) for address in _nodes(url.strip()))
    for address in addresses:
        _check(address)
    return addresses


def host_of(address: str) -> str:
    """Return host and port of an address, without user and password, for logs."""
    return urlsplit(address).netloc.rpartition("@")[2]


def _nodes(url: str) -> list[str]:
    parts = _URL.fullmatch(url)
    if parts is None:
        raise _wrong()
    hosts = [host.strip() for host in parts["hosts"].split(",")]
    return [f"{parts['start']}{host}{parts['rest'] or ''}" for host in hosts]


def _check(address: str) -> None:
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        has_host = False
    if not has_host:
        raise _wrong()


def _wrong() -> ConfigurationError:
    return ConfigurationError(
        "KUJI_AMQP_URL is not amqp(s)://user:password@host:port/vhost; name several nodes as host1:5672,host2:5672, "
        "and write @ , / : in user and password as %40 %2C %2F %3A"
    )
