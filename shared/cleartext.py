"""Refuse connections in the clear with other machines: passwords and events would cross a network (R-S8, ADR 55)."""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from shared.errors import ConfigurationError
from shared.hosts import is_on_one_host, is_this_machine
from shared.messaging.addresses import parse_addresses
from shared.settings import ServiceSettings
from shared.storage.addresses import database_members, has_tls, is_looked_up

_ADVICE: Final = (
    "use TLS (docs/operations.md, “TLS to broker and database”), or name this machine as 127.0.0.1 or localhost"
)


def refuse_cleartext(settings: ServiceSettings) -> None:
    """Raise ConfigurationError where broker, database or callers on other machines would speak without TLS.

    A rehearsal has invented people: its servers may be anywhere. `choose_clock` refuses its clock for real campaigns.
    """
    if settings.clock_file is None:
        one_host = settings.one_host_network
        amqp_url = settings.amqp_url.get_secret_value()
        refuse_cleartext_to_broker(amqp_url, settings.queue_status_url, one_host=one_host)
        refuse_cleartext_to_database(settings.mongo_url.get_secret_value(), one_host=one_host)
        refuse_listening(settings, "KUJI_HTTP_HOST", settings.http_host)


def refuse_listening(settings: ServiceSettings, setting: str, host: str) -> None:
    """Raise ConfigurationError for a listener without TLS that other machines reach."""
    is_apart = settings.one_host_network or settings.clock_file is not None
    if not (is_apart or settings.http_tls != "none" or is_this_machine(host)):
        raise ConfigurationError(
            f"{setting} lets other machines in without TLS; listen on 127.0.0.1 behind a front on this machine, or set "
            "KUJI_HTTP_TLS for one on another (docs/operations.md, “TLS to broker and database”)"
        )


def refuse_cleartext_to_broker(amqp_url: str, queue_status_url: str = "", *, one_host: bool = False) -> None:
    """Raise ConfigurationError for a node of KUJI_AMQP_URL or KUJI_QUEUE_STATUS_URL elsewhere without TLS."""
    refuse_hosts("KUJI_AMQP_URL", _broker_hosts(amqp_url), _ADVICE, one_host=one_host)
    refuse_hosts("KUJI_QUEUE_STATUS_URL", _status_hosts(queue_status_url), _ADVICE, one_host=one_host)


def refuse_cleartext_to_database(mongo_url: str, *, one_host: bool = False) -> None:
    """Raise ConfigurationError for a member of KUJI_MONGO_URL elsewhere without TLS."""
    if has_tls(mongo_url):
        return
    refuse_hosts("KUJI_MONGO_URL", (host for host, _ in database_members(mongo_url)), _ADVICE, one_host=one_host)
    if is_looked_up(mongo_url):
        raise ConfigurationError(
            f"KUJI_MONGO_URL leads to members that a name server names, in the clear, on any machine; {_ADVICE}"
        )


def refuse_hosts(setting: str, hosts: Iterable[str], advice: str, *, one_host: bool) -> None:
    """Raise ConfigurationError for the first of these hosts that is another machine.

    `one_host`: names without a dot are those of containers on this machine (KUJI_ONE_HOST_NETWORK).
    """
    is_allowed = is_on_one_host if one_host else is_this_machine
    for host in hosts:
        if not is_allowed(host):
            raise ConfigurationError(f"{setting} leads to {host} in the clear, which is not this machine; {advice}")


def _broker_hosts(amqp_url: str) -> Iterator[str]:
    """Return the hosts that are reached without TLS, or without a look at their certificate."""
    for address in parse_addresses(amqp_url):
        parts = urlsplit(address)
        is_verified = set(parse_qs(parts.query, keep_blank_values=True).get("no_verify_ssl", ())) <= {"0"}
        if parts.scheme != "amqps" or not is_verified:
            yield parts.hostname or ""


def _status_hosts(urls: str) -> Iterator[str]:
    for url in filter(None, map(str.strip, urls.split(","))):
        if not url.startswith("https://"):
            yield urlsplit(url).hostname or ""
