"""Secrets of a local installation: passwords, tokens of programs, the vault's passphrase, a certificate.

All of it is made anew for each installation and lies in files of mode 0600 below its state folder.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.authority import Authority
from deploy.local.service_keys import KeyFolders
from shared.contracts import SERVICES
from shared.files import write_atomic


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
    authority = Authority.create()
    certificate = authority.issue(["localhost", "vault", "127.0.0.1"])
    write_atomic(made.private_key_file, certificate.key)
    write_atomic(made.certificate_file, certificate.certificate)
    write_atomic(made.authority_file, authority.pem)
