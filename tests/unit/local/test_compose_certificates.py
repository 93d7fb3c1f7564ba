"""Certificates of a compose installation: how long they last, and what `./kuji compose init` says of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from deploy.cli.commands import app
from deploy.compose import tls
from deploy.local.authority import Authority
from shared.contracts import SERVICES
from shared.errors import ConfigurationError
from shared.files import write_atomic


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUJI_COMPOSE_DIR", str(tmp_path / "compose"))
    return tmp_path / "compose"


def init(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["compose", "init", *arguments], catch_exceptions=False, terminal_width=300)
    assert result.exit_code == 0, result.output
    return result.output


def of_authority(folder: Path, life: timedelta) -> None:
    """Give the installation an authority with this life."""
    made = Authority.create(life=life)
    (folder / tls.AUTHORITY).mkdir(parents=True, exist_ok=True)
    write_atomic(folder / tls.AUTHORITY / "authority.key", made.key_pem)
    write_atomic(folder / tls.AUTHORITY / "authority.crt", made.pem)


def test_no_certificate_outlives_its_authority() -> None:
    authority = Authority.create(life=timedelta(days=100))
    issued = x509.load_pem_x509_certificate(authority.issue(["mongo"]).certificate)
    assert issued.not_valid_after_utc == authority.ends
    longer = Authority.create()
    ends = x509.load_pem_x509_certificate(longer.issue(["mongo"]).certificate).not_valid_after_utc
    assert timedelta(days=399) < ends - datetime.now(UTC) < timedelta(days=400)


def test_near_the_end_of_the_authority_a_certificate_is_not_made_anew_each_time(tmp_path: Path) -> None:
    of_authority(tmp_path, timedelta(days=30))
    assert set(tls.make(tmp_path)) == {"rabbitmq", "mongo", *SERVICES}
    assert tls.make(tmp_path) == []


def test_the_parts_with_a_new_certificate_are_named_with_the_command_that_restarts_them(folder: Path) -> None:
    assert "restart" not in init("--tls"), "nothing runs yet"
    assert "restart" not in init()
    authority = Authority.read(
        *((folder / tls.AUTHORITY / name).read_bytes() for name in ("authority.crt", "authority.key"))
    )
    soon = authority.issue(["mongo", "localhost", "127.0.0.1"], life=timedelta(days=30))
    (folder / "mongo" / "tls" / "tls.pem").write_bytes(soon.both)
    assert "docker compose restart mongo\n" in init()
    named = init("--tls-name", "vault=vault.office.example")
    assert "docker compose restart vault\n" in named


def test_switching_tls_on_later_restarts_everything(folder: Path) -> None:
    init()
    assert not tls.is_on(folder)
    assert "docker compose restart rabbitmq mongo intake" in init("--tls")


def test_the_end_of_the_authority_is_said_a_certificates_life_before(folder: Path) -> None:
    assert "authority ends" not in init("--tls")
    of_authority(folder, timedelta(days=300))
    said = init()
    assert f"the authority ends on {datetime.now(UTC) + timedelta(days=300) - timedelta(hours=1):%Y-%m-%d}" in said
    assert "restart all parts together" in said


def test_a_name_for_a_certificate_switches_nothing_on(folder: Path) -> None:
    init()
    with pytest.raises(ConfigurationError, match="add --tls"):
        init("--tls-name", "rabbitmq=broker.office.example")
    assert not tls.is_on(folder)
