"""TLS of a compose installation: its authority, a certificate for each part, and what both servers read (ADR 47).

The authority's key lies in a folder that no container mounts. Each part sees its own key and the authority's
certificate. `make` is safe to repeat: it makes what is missing, and anew what ends soon.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from deploy.compose.front import add_variables
from deploy.local.authority import LIFE, RENEW_BEFORE, Authority
from shared.contracts import SERVICES
from shared.files import write_atomic

AUTHORITY: Final = "authority"
"""Folder of the authority's certificate and private key, on the host only."""

SERVER_FOLDER: Final = "tls"
"""Folder of RabbitMQ and of MongoDB with what their containers mount."""

_LOOPBACK: Final = ("localhost", "127.0.0.1")
_PARTS: Final[Mapping[str, Sequence[str]]] = {
    "rabbitmq": ("rabbitmq", *_LOOPBACK),
    "mongo": ("mongo", *_LOOPBACK),
    **{service: (service, *_LOOPBACK) for service in SERVICES},
}
_READABLE: Final = 0o644
"""Mode of files for containers' users; the installation's folder is closed to all other users of the machine."""


def is_on(folder: Path) -> bool:
    """Return True for an installation that speaks TLS to its servers."""
    return (folder / AUTHORITY / "authority.crt").exists()


def ends_soon(folder: Path) -> datetime | None:
    """Return the end of the authority where a certificate that is made now would be cut short by it; else None."""
    if not is_on(folder):
        return None
    ends = _authority(folder / AUTHORITY).ends
    return ends if ends - datetime.now(UTC) < LIFE else None


def make(folder: Path, names: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Make authority and certificates, and return the parts whose certificate is new: these are restarted.

    `names`: part → further host names and addresses, for parts on other hosts. Certificates of other names are made
    anew.
    """
    authority = _authority(folder / AUTHORITY)
    renewed = []
    for part, own in _PARTS.items():
        place = folder / part / (SERVER_FOLDER if part in {"rabbitmq", "mongo"} else "")
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)
        wanted = [*own, *(names or {}).get(part, _kept_names(place, own))]
        _write(place / "authority.crt", authority.pem)
        if _is_good(place / "tls.pem", wanted, authority):
            continue
        issued = authority.issue(wanted)
        _write(place / "tls.pem", issued.both)
        renewed.append(part)
    files = {"KUJI_TLS_CA_FILE": "/run/kuji/authority.crt", "KUJI_TLS_CERT_FILE": "/run/kuji/tls.pem"}
    for service in SERVICES:
        add_variables(folder / f"{service}.env", files)
    return renewed


def write_server_files(folder: Path) -> None:
    """Write the files that RabbitMQ and MongoDB read, also without TLS: the containers mount them in any case."""
    has_tls = is_on(folder)
    for server in ("rabbitmq", "mongo"):
        (folder / server / SERVER_FOLDER).mkdir(parents=True, exist_ok=True)
    _write(folder / "rabbitmq" / "tls.conf", rabbitmq_settings(Path("/etc/kuji/tls")) if has_tls else b"# no TLS\n")
    _write(folder / "mongo" / "mongod.conf", mongod_settings(Path("/run/kuji/tls")) if has_tls else b"net: {}\n")


def rabbitmq_settings(place: Path, address: str = "5671") -> bytes:
    """Return the settings of RabbitMQ: TLS only, and only for clients with a certificate of the authority."""
    return (
        "listeners.tcp = none\n"
        f"listeners.ssl.default = {address}\n"
        f"ssl_options.cacertfile = {place}/authority.crt\n"
        f"ssl_options.certfile = {place}/tls.pem\n"
        f"ssl_options.keyfile = {place}/tls.pem\n"
        "ssl_options.verify = verify_peer\n"
        "ssl_options.fail_if_no_peer_cert = true\n"
        "ssl_options.versions.1 = tlsv1.3\n"
        "ssl_options.versions.2 = tlsv1.2\n"
    ).encode()


def mongod_settings(place: Path) -> bytes:
    """Return the settings of MongoDB: TLS only, and only for clients with a certificate of the authority."""
    return (
        "net:\n"
        "  tls:\n"
        "    mode: requireTLS\n"
        f"    certificateKeyFile: {place}/tls.pem\n"
        f"    CAFile: {place}/authority.crt\n"
        "    disabledProtocols: TLS1_0,TLS1_1\n"
    ).encode()


def mongo_query(place: Path) -> str:
    """Return the parameters of an address with which a program beside MongoDB reaches it."""
    return f"tls=true&tlsCAFile={place}/authority.crt&tlsCertificateKeyFile={place}/tls.pem"


def secure_amqp(url: str) -> str:
    """Return the address of the broker with TLS."""
    return url.replace("amqp://", "amqps://", 1).replace("@rabbitmq:5672/", "@rabbitmq:5671/", 1)


def secure_mongo(url: str) -> str:
    """Return the address of the database with TLS."""
    return url if "tls=true" in url else f"{url}&tls=true"


def _authority(folder: Path) -> Authority:
    certificate, key = folder / "authority.crt", folder / "authority.key"
    folder.mkdir(exist_ok=True, mode=0o700)
    if not (certificate.exists() and key.exists()):
        made = Authority.create("Kuji authority of this installation")
        write_atomic(key, made.key_pem)
        write_atomic(certificate, made.pem)
    return Authority.read(certificate.read_bytes(), key.read_bytes())


def _is_good(file: Path, names: Sequence[str], authority: Authority) -> bool:
    """Return True for a certificate of this authority for these names that lasts, or as long as the authority."""
    if not file.exists():
        return False
    found = x509.load_pem_x509_certificate(file.read_bytes())
    ends = found.not_valid_after_utc
    lasts = ends - datetime.now(UTC) > RENEW_BEFORE or ends == authority.ends
    issuer = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    own = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.key_identifier
    return lasts and issuer == own and _names(found) == set(names)


def _kept_names(place: Path, own: Sequence[str]) -> list[str]:
    """Return the further names of the certificate that is there."""
    if not (place / "tls.pem").exists():
        return []
    found = _names(x509.load_pem_x509_certificate((place / "tls.pem").read_bytes()))
    return sorted(found - set(own))


def _names(certificate: x509.Certificate) -> set[str]:
    listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = map(str, listed.get_values_for_type(x509.IPAddress))
    return {*listed.get_values_for_type(x509.DNSName), *addresses}


def _write(path: Path, content: bytes) -> None:
    write_atomic(path, content, mode=_READABLE)
    path.chmod(_READABLE)
