"""`./kuji service-keys`: list, rotate and revoke the keys of a running installation."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.commands import app
from deploy.compose import secrets
from shared.errors import ConfigurationError
from shared.service_keys import PublicKeys, ServiceKey


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secrets.make(tmp_path / "compose", rehearsal=False)
    monkeypatch.setenv("KUJI_COMPOSE_DIR", str(tmp_path / "compose"))
    return tmp_path / "compose"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["service-keys", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def listed() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(run("list", "--json"))
    return rows


def test_rotating_gives_every_container_the_new_public_key_and_one_of_them_the_private_key(folder: Path) -> None:
    before = {row["service"]: row["key"] for row in listed()}
    run("rotate", "intake")

    assert [row["state"] for row in listed() if row["service"] == "intake"] == ["verify", "active"]
    key = ServiceKey(folder / "intake", "intake")
    assert key.name != before["intake"]
    signed = key.sign_document("kuji/receipt/2", {"v": 2})
    assert all(PublicKeys(folder / reader).verify_document("kuji/receipt/2", signed, "intake") for reader in before)


def test_a_revoked_key_is_refused_by_every_service(folder: Path) -> None:
    stolen = ServiceKey(folder / "intake", "intake").sign_document("kuji/receipt/2", {"v": 2})
    run("rotate", "intake")
    run("revoke", stolen["key"])

    assert not PublicKeys(folder / "vault").verify_document("kuji/receipt/2", stolen, "intake")


@pytest.mark.usefixtures("folder")
def test_an_unknown_service_has_no_key_to_rotate() -> None:
    with pytest.raises(ConfigurationError, match="intake"):
        CliRunner().invoke(app, ["service-keys", "rotate", "mailer"], catch_exceptions=False)
