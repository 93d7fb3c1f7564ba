"""Secrets of a local installation: passwords, tokens of programs, the vault's passphrase, a certificate.

All of it is made anew for each installation and lies in files of mode 0600 below its state folder.
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.service_keys import KeyFolders
from shared.contracts import SERVICES
from shared.files import write_atomic

_LIFE = timedelta(days=400)
"""Longer than any campaign: nothing renews the certificate while one runs."""


@dataclass(frozen=True)
class Secrets:
    """Paths and passwords by service."""

    folder: Path
    amqp: dict[str, str] = field(repr=False)
    mongo: dict[str, str] = field(repr=False)
    ops: dict[str, str] = field(repr=False)

    @classmethod
    def make(cls, folder: Path) -> "Secrets":
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = cls(
            folder,
            amqp={service: secrets.token_urlsafe(18) for service in SERVICES},
            mongo={service: secrets.token_urlsafe(18) for service in SERVICES},
            ops={service: secrets.token_urlsafe(24) for service in SERVICES},
        )
        for service, token in made.ops.items():
            write_atomic(made.ops_file(service), token.encode())
        write_atomic(made.paper_token_file, secrets.token_urlsafe(24).encode())
        write_atomic(made.setup_token_file, secrets.token_urlsafe(24).encode())
        write_atomic(made.passphrase_file, secrets.token_urlsafe(24).encode())
        made.service_keys.make()
        _make_certificate(made)
        return made

    @property
    def service_keys(self) -> KeyFolders:
        """Folders of the keys with which services sign. They are kept, since they prove what was signed before."""
        return KeyFolders.below(self.folder / "service-keys", SERVICES)

    def ops_file(self, service: str) -> Path:
        return self.folder / f"{service}.ops-token"

    @property
    def paper_token_file(self) -> Path:
        """Token with which tools send papers to intake; it permits nothing else."""
        return self.folder / "intake.paper-token"

    @property
    def setup_token_file(self) -> Path:
        """Token that makes the first two accounts, once."""
        return self.folder / "vault.setup-token"

    @property
    def passphrase_file(self) -> Path:
        return self.folder / "vault.passphrase"

    @property
    def certificate_file(self) -> Path:
        return self.folder / "bounces.crt"

    @property
    def private_key_file(self) -> Path:
        return self.folder / "bounces.key"

    @property
    def authority_file(self) -> Path:
        """The certificate of the installation's own authority, which the mail server may trust."""
        return self.folder / "authority.crt"


def _make_certificate(made: Secrets) -> None:
    """Make an authority and the bounce server's certificate, for loopback and containers. Its key is not kept."""
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kuji local authority")])
    authority = (
        _certificate(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.DNSName("vault"),
        x509.IPAddress(IPv4Address("127.0.0.1")),
    ]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _certificate(server_name, authority_name, server_key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(issuer, critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_atomic(made.private_key_file, private)
    write_atomic(made.certificate_file, certificate.public_bytes(pem))
    write_atomic(made.authority_file, authority.public_bytes(pem))


def _certificate(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
