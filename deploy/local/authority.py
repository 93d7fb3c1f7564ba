"""Private certificate authority of an installation: certificates for its servers and services (RFC 5280).

ECDSA on P-256, which RabbitMQ, MongoDB, OpenSSL and browsers take. No certificate of it is worth anything elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE: Final = timedelta(days=400)
"""Life of a certificate: longer than any campaign, so that nothing expires while one runs."""

AUTHORITY_LIFE: Final = timedelta(days=5 * 365)

RENEW_BEFORE: Final = timedelta(days=60)
"""A certificate with less time left is made anew by the next `./kuji compose init`."""

_EARLIER: Final = timedelta(hours=1)
_PEM: Final = serialization.Encoding.PEM


@dataclass(frozen=True)
class Certificate:
    """Certificate and private key, PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def both(self) -> bytes:
        """Key and certificate in one text, as MongoDB and `KUJI_TLS_CERT_FILE` want them."""
        return self.key + self.certificate


@dataclass(frozen=True)
class Authority:
    """Authority with its private key."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def create(cls, name: str = "Kuji local authority", life: timedelta = AUTHORITY_LIFE) -> Self:
        """Make an authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(name, name, key.public_key(), datetime.now(UTC) - _EARLIER, life)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def read(cls, certificate: bytes, key: bytes) -> Self:
        """Return the authority of two PEM texts. Raises ValueError or TypeError."""
        private = serialization.load_pem_private_key(key, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is no key of a curve")
        return cls(x509.load_pem_x509_certificate(certificate), private)

    @property
    def ends(self) -> datetime:
        """End of the authority, and of everything that it issued."""
        return self.certificate.not_valid_after_utc

    @property
    def pem(self) -> bytes:
        """Certificate of the authority, for everybody who verifies."""
        return self.certificate.public_bytes(_PEM)

    @property
    def key_pem(self) -> bytes:
        """Private key of the authority: whoever has it can be any server of the installation."""
        return _private(self._key)

    def issue(self, names: Sequence[str], *, starts: datetime | None = None, life: timedelta = LIFE) -> Certificate:
        """Return a certificate for these host names and addresses, for both sides of a connection.

        It ends with the authority's own at the latest: nobody believes it any longer.
        """
        begins = starts or datetime.now(UTC) - _EARLIER
        life = min(life, self.ends - begins)
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        builder = (
            _builder(names[0], str(issuer), key.public_key(), begins, life)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        return Certificate(certificate.public_bytes(_PEM), _private(key))


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: str, issuer: str, public_key: ec.EllipticCurvePublicKey, starts: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(starts + life)
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
