"""`./kuji service-keys`: list, rotate and revoke the keys of a running installation."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.commands import app
from deploy.compose import secrets
from shared.errors import ConfigurationError
from shared.service_keys import KeyUse, PublicKeys, ServiceKey
from shared.service_names import SERVICES


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


@pytest.mark.parametrize(("service", "use"), [*((service, "service") for service in SERVICES), ("lottery", "signing")])
def test_every_key_rotates_while_its_service_and_the_others_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, service: str, use: KeyUse
) -> None:
    """Make signer and verifiers before: they follow the files."""
    monkeypatch.setattr("shared.service_keys._FRESH_S", 0.0)
    signer, readers = ServiceKey(folder / service, service, use), [PublicKeys(folder / reader) for reader in SERVICES]
    old = signer.sign_document("kuji/test/1", {"v": 1})
    before = {row["key"] for row in listed()}
    run("rotate", service, "--use", use)
    new = signer.sign_document("kuji/test/1", {"v": 1})

    assert new["key"] not in before
    for signed in (old, new):
        assert all(reader.verify_document("kuji/test/1", signed, service, use) for reader in readers)
    run("revoke", old["key"])
    assert not any(reader.verify_document("kuji/test/1", old, service, use) for reader in readers)
    assert all(reader.verify_document("kuji/test/1", new, service, use) for reader in readers)
    others = [row for row in listed() if (row["service"], row["use"]) != (service, use)]
    assert {row["state"] for row in others} == {"active"}


@pytest.mark.usefixtures("folder")
def test_a_service_without_a_signing_key_has_none_to_rotate() -> None:
    with pytest.raises(ConfigurationError, match="it has service"):
        CliRunner().invoke(app, ["service-keys", "rotate", "vault", "--use", "signing"], catch_exceptions=False)


@pytest.mark.usefixtures("folder")
def test_an_unknown_service_has_no_key_to_rotate() -> None:
    with pytest.raises(ConfigurationError, match="intake"):
        CliRunner().invoke(app, ["service-keys", "rotate", "mailer"], catch_exceptions=False)
