"""Secrets of a local installation."""

import ssl
from pathlib import Path

import pytest

from deploy.local.secrets import Secrets
from shared.contracts import SERVICES


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets.make(tmp_path / "secrets")


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, hostname: str) -> None:
    """Do a TLS handshake between two ends in memory. Raises ssl.SSLError where one end refuses."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=hostname),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        for end in list(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
        if not ends:
            return
    raise AssertionError("the handshake does not end")


def contexts(secrets: Secrets) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(secrets.certificate_file, secrets.private_key_file)
    return server, ssl.create_default_context(cafile=str(secrets.authority_file))


def test_only_the_owner_may_read_any_of_them(secrets: Secrets) -> None:
    files = [path for path in secrets.folder.rglob("*") if path.is_file()]

    assert secrets.folder.stat().st_mode & 0o777 == 0o700
    assert len(files) >= len(SERVICES) + 5
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_every_service_has_its_own_of_each_kind(secrets: Secrets) -> None:
    for kind in (secrets.amqp, secrets.mongo, secrets.ops):
        assert set(kind) == set(SERVICES)
        assert len(set(kind.values())) == len(SERVICES)


def test_no_password_shows_when_they_are_printed(secrets: Secrets) -> None:
    hidden = [*secrets.ops.values(), *secrets.amqp.values(), *secrets.mongo.values()]

    assert not [value for value in hidden if value in repr(secrets)]


@pytest.mark.parametrize("hostname", ["localhost", "127.0.0.1"])
def test_the_certificate_of_the_bounce_server_holds_for_loopback(secrets: Secrets, hostname: str) -> None:
    handshake(*contexts(secrets), hostname)


def test_the_certificate_holds_for_no_other_host(secrets: Secrets) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(*contexts(secrets), "mail.example")


def test_another_installations_authority_does_not_vouch_for_it(secrets: Secrets, tmp_path: Path) -> None:
    server, _ = contexts(secrets)
    _, stranger = contexts(Secrets.make(tmp_path / "others"))

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, stranger, "localhost")
