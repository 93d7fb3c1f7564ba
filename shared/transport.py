"""TLS to RabbitMQ and MongoDB: both sides show a certificate of the installation's authority (R-S8, ADR 47).

A service with an authority connects in no other way; what is wrong with a certificate is said at the start, since the
drivers only report that nobody answered.
"""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

from cryptography import x509
from pydantic import SecretStr

from shared.errors import ConfigurationError
from shared.messaging.addresses import parse_addresses
from shared.settings import ServiceSettings
from shared.storage.addresses import database_members

S = TypeVar("S", bound=ServiceSettings)

SOON: Final = timedelta(days=30)
"""Time before the end of the own certificate from which a start says so."""

_HANDSHAKE_S: Final = 5.0
_AMQPS_PORT: Final = 5671

_REASONS: Final = {
    10: "has expired: renew it (./kuji compose init, then restart the server)",
    9: "is not valid yet: see that both clocks are right",
    18: "is not signed by the authority in KUJI_TLS_CA_FILE",
    19: "is not signed by the authority in KUJI_TLS_CA_FILE",
    20: "is not signed by the authority in KUJI_TLS_CA_FILE",
    21: "is not signed by the authority in KUJI_TLS_CA_FILE",
    62: "was made for another host name: write the name of the certificate into the address",
    64: "was made for another address: write the name of the certificate into the address",
}
"""What OpenSSL's verify codes (X509_V_ERR_…) mean to an operator."""


def with_certificates(settings: S) -> S:
    """Return the settings with the certificates in both addresses. Raises ConfigurationError for one without TLS.

    Without KUJI_TLS_CA_FILE nothing changes: the addresses are taken as they are.
    """
    authority, own = settings.tls_ca_file, settings.tls_cert_file
    if authority is None:
        if own is not None or settings.http_tls != "none":
            raise ConfigurationError("KUJI_TLS_CERT_FILE and KUJI_HTTP_TLS need KUJI_TLS_CA_FILE, the authority's file")
        return settings
    amqp, mongo = settings.amqp_url.get_secret_value(), settings.mongo_url.get_secret_value()
    if not all(address.startswith("amqps://") for address in parse_addresses(amqp)):
        raise ConfigurationError("with KUJI_TLS_CA_FILE nothing goes in the clear, but KUJI_AMQP_URL is not amqps://")
    if parse_qs(urlsplit(mongo).query).get("tls") != ["true"]:
        raise ConfigurationError("with KUJI_TLS_CA_FILE nothing goes in the clear, but KUJI_MONGO_URL lacks tls=true")
    _check_own(own)
    changed = {
        "amqp_url": SecretStr(",".join(_add(each, _amqp_files(authority, own)) for each in parse_addresses(amqp))),
        "mongo_url": SecretStr(_add(mongo, _mongo_files(authority, own))),
    }
    return settings.model_copy(update=changed)


def check_servers(settings: ServiceSettings) -> None:
    """Shake hands with every server once. Raises ConfigurationError for a certificate that is not to be believed.

    A server that does not answer is waited for later, as without TLS.
    """
    if settings.tls_ca_file is None:
        return
    context = client_context(settings.tls_ca_file, settings.tls_cert_file)
    for kind, host, port in _servers(settings):
        try:
            with socket.create_connection((host, port), _HANDSHAKE_S) as plain:
                context.wrap_socket(plain, server_hostname=host).close()
        except ssl.SSLCertVerificationError as error:
            reason = _REASONS.get(error.verify_code, f"is refused ({error.verify_message})")
            raise ConfigurationError(f"the certificate of {kind} at {host}:{port} {reason}") from None
        except ssl.SSLError as error:
            raise ConfigurationError(
                f"{kind} at {host}:{port} speaks no TLS, or refuses KUJI_TLS_CERT_FILE ({error.reason})"
            ) from None
        except OSError:
            continue


def client_context(authority: Path, own: Path | None) -> ssl.SSLContext:
    """Return the context of a connection that verifies the other side and shows the own certificate."""
    with _files_are_read():
        context = ssl.create_default_context(cafile=authority)
        if own is not None:
            context.load_cert_chain(own)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def days_left(own: Path) -> int:
    """Return for how many days the certificate of a file is valid; negative after its end."""
    with _files_are_read():
        certificate = x509.load_pem_x509_certificate(own.read_bytes())
    return (certificate.not_valid_after_utc - datetime.now(UTC)) // timedelta(days=1)


def _check_own(own: Path | None) -> None:
    if own is None:
        raise ConfigurationError("KUJI_TLS_CERT_FILE is missing: the servers ask for this service's certificate")
    if days_left(own) < 0:
        raise ConfigurationError("the certificate in KUJI_TLS_CERT_FILE has expired: ./kuji compose init renews it")


@contextlib.contextmanager
def _files_are_read() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"KUJI_TLS_CA_FILE or KUJI_TLS_CERT_FILE cannot be read as PEM ({type(error).__name__}); "
            "the second holds private key and certificate"
        ) from None


def _servers(settings: ServiceSettings) -> Iterator[tuple[str, str, int]]:
    for address in parse_addresses(settings.amqp_url.get_secret_value()):
        parts = urlsplit(address)
        yield "RabbitMQ", parts.hostname or "", parts.port or _AMQPS_PORT
    for host, port in database_members(settings.mongo_url.get_secret_value()):
        yield "MongoDB", host, port


def _amqp_files(authority: Path, own: Path | None) -> Sequence[tuple[str, str]]:
    """Return the parameters that aiormq reads from an address."""
    return [("cafile", str(authority)), ("certfile", str(own)), ("keyfile", str(own))]


def _mongo_files(authority: Path, own: Path | None) -> Sequence[tuple[str, str]]:
    """Return the parameters of a MongoDB connection string."""
    return [("tlsCAFile", str(authority)), ("tlsCertificateKeyFile", str(own))]


def _add(address: str, parameters: Sequence[tuple[str, str]]) -> str:
    written = "&".join(f"{name}={quote(value, safe='/')}" for name, value in parameters)
    return f"{address}{'&' if '?' in address else '?'}{written}"
