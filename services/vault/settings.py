"""Settings of the vault; every one has a safe default or must be given."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from pydantic import Field, IPvAnyNetwork

from shared.settings import ServiceSettings
from shared.typesetting import FONT_DIRS


class VaultSettings(ServiceSettings):
    mongo_database: str = Field("kuji_vault", description="the vault's own database")
    keystore_dir: Path = Field(description="folder of the keys; outside MongoDB, shared by all vault processes")
    passphrase_file: Path | None = Field(
        None, description="file with the passphrase of the root key; mode 0600; not needed where that lies in a token"
    )
    token_module: Path | None = Field(
        None, description="PKCS#11 library of the token for the root key; without it the key folder has that key"
    )
    token_label: str = Field("kuji", description="label of that token")
    token_pin_file: Path | None = Field(None, description="file with the PIN of that token; mode 0600")
    witness_url: str | None = Field(
        None, description="address of the witness of the audit log (`./kuji witness`), for the ward; without it none"
    )
    witness_key_file: Path | None = Field(None, description="file with the public key of that witness (name+id+key)")
    checkpoint_s: float = Field(
        60.0, ge=0.2, le=60, description="seconds between checkpoints of the audit log, which the witness cosigns"
    )
    setup_token_file: Path | None = Field(
        None, description="file with the token that makes the first two accounts, once; without it there are none"
    )
    bounce_domain: str = Field(
        "bounces.kuji.invalid", description="domain of envelope senders; delivery reports go there"
    )
    bounce_host: str = Field("127.0.0.1", description="address the server for delivery reports listens on")
    bounce_port: int | None = Field(
        None, ge=0, le=65535, description="port for delivery reports (SMTP from the mail server); without it no server"
    )
    bounce_clients: tuple[IPvAnyNetwork, ...] = Field(
        (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")),
        description="networks of the mail server that may deliver reports; all others are refused",
    )
    bounce_cert_file: Path | None = Field(
        None, description="certificate for STARTTLS of that server, PEM; without it reports come in the clear"
    )
    bounce_key_file: Path | None = Field(None, description="private key of that certificate, PEM")
    mta_host: str = Field("localhost", description="mail server that takes outgoing mail")
    mta_port: int = Field(25, ge=1, le=65535, description="port of that mail server")
    mta_security: Literal["none", "starttls", "tls"] = Field(
        "starttls", description="none is for a mail server on this machine only"
    )
    mta_timeout_s: float = Field(20.0, gt=0, description="longest wait for each answer of that mail server, seconds")
    mta_lease_s: float = Field(
        60.0,
        ge=5,
        description="time after which another process takes over the mails of one that died, seconds; renewed four "
        "times in it, so it must outlast an election of the database",
    )
    mta_sessions: int = Field(12, ge=1, le=100, description="SMTP sessions to that mail server at the same time")
    log_scan_dirs: tuple[Path, ...] = Field((), description="folders of logs to search for residue at erasure")
    erasure_answers_s: float = Field(
        600.0, gt=0, description="longest wait for the other services at an erasure; a silent service is UNKNOWN"
    )
    key_copies_horizon_days: int | None = Field(
        None, ge=1, description="days for which a recorded copy of the key folder is kept; unset: no copy is recorded"
    )
    close_out_watch_s: float = Field(0.5, gt=0, description="seconds between looks at erasures under way")
    approve_host: str = Field("127.0.0.1", description="address of the listener for approvals alone")
    approve_port: int | None = Field(
        None, ge=0, le=65535, description="port of the listener for approvals, for the ward; without it no listener"
    )
    approve_origin: str | None = Field(
        None, description="origin of that listener as browsers see it: the vault's host name with another port"
    )
    clamd_url: str | None = Field(
        None, description="malware scanner for papers, unix:/path or tcp://host:port; without it none is scanned"
    )
    clamd_timeout_s: float = Field(20.0, gt=0, description="longest wait for a verdict on one paper, seconds")
    font_dirs: tuple[Path, ...] = Field(FONT_DIRS, description="folders of the fonts of postcards and certificates")
