"""No service starts where it would reach broker, database or scanner on another machine without TLS (R-S8, ADR 55)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from typer.testing import CliRunner

from deploy.cli.backup import backup
from deploy.compose import secrets
from deploy.local.paths import ROOT
from services.notifier.settings import NotifierSettings
from services.vault.papers.clamd import Scanner
from services.vault.settings import VaultSettings
from shared.cleartext import refuse_cleartext
from shared.contracts import SERVICES
from shared.errors import ConfigurationError
from shared.storage.addresses import database_members, has_tls, members_elsewhere

HERE = {"amqp_url": "amqp://u:secret@127.0.0.1/", "mongo_url": "mongodb://u:secret@localhost:27018/?replicaSet=kuji"}
CLEAR_ELSEWHERE = [
    {"amqp_url": "amqp://u:secret@mq.example:5672/"},
    {"amqp_url": "amqp://u:secret@10.0.0.5/"},
    {"amqp_url": "amqp://u:secret@[fd00::5]:5672/"},
    {"amqp_url": "amqp://u:secret@167772165/"},
    {"amqp_url": "amqp://u:secret@localhost.example/"},
    {"amqp_url": "amqp://u:secret@127.0.0.1,mq.example/"},
    {"amqp_url": "amqps://u:secret@mq.example/,amqp://u:secret@mq.example/"},
    {"amqp_url": "amqps://u:secret@mq.example/?no_verify_ssl=1"},
    {"amqp_url": "amqps://u:secret@mq.example/?no_verify_ssl="},
    {"amqp_url": "amqp://u:secret@[::ffff:10.0.0.5]/"},
    {"amqp_url": "amqp://u:secret@[fe80::1%25eth0]/"},
    {"amqp_url": "amqp://u:secret@0x0a000005/"},
    {"amqp_url": "amqp://u:secret@012.0.0.5/"},
    {"amqp_url": "amqp://u:secret@0/"},
    {"amqp_url": "amqp://127.0.0.1@mq.example/"},
    {"mongo_url": "mongodb://u:secret@db.example/?replicaSet=kuji"},
    {"mongo_url": "mongodb://u:secret@localhost,10.0.0.5:27017/?replicaSet=kuji"},
    {"mongo_url": "mongodb://u:secret@[fd00::5]/"},
    {"mongo_url": "mongodb://u:secret@db.example?tls=false"},
    {"mongo_url": "mongodb://u:secret@db.example/?tls=true&tls=false"},
    {"mongo_url": "mongodb://u:secret@db.example/?tls=true&tlsInsecure=true"},
    {"mongo_url": "mongodb://u:secret@db.example/?tls=true&tlsAllowInvalidCertificates=true"},
    {"mongo_url": "mongodb+srv://u:secret@db.example/?ssl=false"},
    {"mongo_url": "mongodb+srv://u:secret@localhost/?tls=false"},
    {"mongo_url": "mongodb+srv://u:secret@mongo/?tls=false"},
    {"mongo_url": "mongodb://u:secret@db.example/?tls=TRUE"},
    {"mongo_url": "mongodb://u:secret@db.example/?tls=true&tls="},
    {"mongo_url": "mongodb://u:secret@db.example/?tls=true;tls=false"},
    {"mongo_url": "mongodb://u:secret@db.example/?tls=true&tls%49nsecure=true"},
    {"mongo_url": "mongodb://u:secret@db.example/?appName=?tls=true"},
    {"mongo_url": "mongodb://u:secret@db.example/x%3Ftls=true"},
    {"mongo_url": "mongodb://u:?tls=true@db.example/"},
    {"mongo_url": "mongodb://u:secret@127.0.0.1%2Cdb.example/"},
    {"mongo_url": "mongodb://%2Ftmp%2Fmongodb-27017.sock,db.example/"},
    {"mongo_url": "mongodb://u:secret@[::ffff:10.0.0.5]/"},
    {"mongo_url": "mongodb://u:secret@167772165/"},
    {"queue_status_url": "http://mq.example:15672"},
    {"queue_status_url": "https://mq1.example:15671, http://10.0.0.5:15672"},
]
NAMES_OF_CONTAINERS = [
    {"amqp_url": "amqp://u:secret@rabbitmq:5672/"},
    {"mongo_url": "mongodb://u:secret@mongo:27017/?replicaSet=kuji"},
    {"queue_status_url": "http://rabbitmq:15672"},
]


def settings(**given: Any) -> NotifierSettings:
    needed = {**HERE, "state_dir": "state", "service_keys_dir": "keys"}
    return NotifierSettings.model_validate({**needed, **given})


@pytest.mark.parametrize("given", CLEAR_ELSEWHERE + NAMES_OF_CONTAINERS, ids=lambda given: next(iter(given.values())))
def test_another_machine_is_not_reached_in_the_clear(given: dict[str, str]) -> None:
    setting = f"KUJI_{next(iter(given)).upper()}"
    with pytest.raises(ConfigurationError, match=f"{setting} leads to .* in the clear") as refusal:
        refuse_cleartext(settings(**given))
    assert "secret" not in str(refusal.value)
    assert "docs/operations.md" in str(refusal.value)
    refuse_cleartext(settings(**given, clock_file=Path("clock.json")))  # people of a rehearsal are invented


@pytest.mark.parametrize("given", CLEAR_ELSEWHERE, ids=lambda given: next(iter(given.values())))
def test_a_network_of_one_host_has_names_without_a_dot_alone(given: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="in the clear"):
        refuse_cleartext(settings(**given, one_host_network=True))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"amqp_url": "amqps://u:secret@mq1.example,mq2.example/"},
        {"amqp_url": "amqps://u:secret@mq.example/?no_verify_ssl=0"},
        {"amqp_url": "amqp://u:secret@[::1]:5672/"},
        {"mongo_url": "mongodb://u:secret@db1.example,db2.example/?replicaSet=kuji&TLS=true"},
        {"mongo_url": "mongodb://u:secret@db.example/?ssl=true"},
        {"mongo_url": "mongodb+srv://u:secret@db.example/"},
        {"mongo_url": "mongodb://%2Ftmp%2Fmongodb-27017.sock/?replicaSet=kuji"},
        {"mongo_url": "mongodb://[::1]:27018,127.0.0.1/"},
        {"queue_status_url": "https://mq.example:15671,http://127.0.0.1:15672"},
        *({**given, "one_host_network": True} for given in NAMES_OF_CONTAINERS),
    ],
    ids=str,
)
def test_this_machine_and_tls_are_fine(given: dict[str, Any]) -> None:
    refuse_cleartext(settings(**given))


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.5", "::", "", "intake.example"])
def test_callers_on_other_machines_are_not_served_in_the_clear(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"KUJI_HTTP_HOST lets other machines in without TLS.*KUJI_HTTP_TLS"):
        refuse_cleartext(settings(http_host=host))
    for given in ({"http_tls": "mutual"}, {"http_tls": "server"}, {"one_host_network": True}, {"clock_file": "c"}):
        refuse_cleartext(settings(http_host=host, **given))


def test_a_member_of_the_replica_set_on_another_machine_is_found_where_the_driver_would_go_on_to_it() -> None:
    members = ["127.0.0.1:27017", "m2:27017", "m3.example:27017"]
    assert members_elsewhere("mongodb://localhost/?replicaSet=kuji", members) == members[1:]
    assert members_elsewhere("mongodb://m1/?replicaSet=kuji", members) == members[2:]
    for direct in ("directConnection=TRUE", "directConnection=true&directConnection="):
        assert members_elsewhere(f"mongodb://localhost/?{direct}", members) == members[1:], (
            "the driver drops the option"
        )
    for url in (
        "mongodb://localhost/?tls=true", "mongodb://localhost/?directConnection=true", "mongodb://m3.example/",
    ):  # fmt: skip
        assert members_elsewhere(url, members) == [], url


def test_members_are_read_as_the_driver_reads_them() -> None:
    assert list(database_members("mongodb://a:b%40c@[::1]:27018,h,%2Frun%2Fm.sock/?x=1")) == [
        ("::1", 27018), ("h", 27017), ("/run/m.sock", 27017),
    ]  # fmt: skip
    assert not has_tls("mongodb://h/tls=true")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_ends_with_a_sentence_before_it_connects(service: str, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "KUJI_STATE_DIR": str(tmp_path),
        "KUJI_SERVICE_KEYS_DIR": str(tmp_path), "KUJI_KEYSTORE_DIR": str(tmp_path),
        "KUJI_AMQP_URL": "amqp://u:secret@192.0.2.5/", "KUJI_MONGO_URL": HERE["mongo_url"],
        "KUJI_VAULT_KEY_FILE": str(tmp_path), "KUJI_SIGNING_KEY_FILE": str(tmp_path),
    }  # fmt: skip
    started = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env=environment, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert started.returncode == 1
    assert started.stderr.startswith(f"{service}: KUJI_AMQP_URL leads to 192.0.2.5 in the clear"), started.stderr
    assert "secret" not in started.stdout + started.stderr


def test_the_administrators_commands_refuse_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "KUJI_AMQP_URL": "amqp://u:secret@192.0.2.5/"}
    declared = subprocess.run(
        [sys.executable, "-m", "shared.messaging.declare"],
        env=environment, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (declared.returncode, "in the clear" in declared.stderr) == (1, True), declared.stderr
    monkeypatch.setenv("KUJI_MONGO_URL", "mongodb://u:secret@db.example/")
    copied = CliRunner().invoke(backup, ["data", str(tmp_path / "data-1")])
    assert isinstance(copied.exception, ConfigurationError)
    assert "KUJI_MONGO_URL leads to db.example in the clear" in str(copied.exception)


def test_what_compose_makes_starts_on_one_host_and_not_without_the_setting_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.make(tmp_path / "compose", rehearsal=False)
    file = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["notifier"]
    made = secrets.environment("notifier", rehearsal=False)
    for name, value in {**made, "KUJI_HTTP_HOST": "0.0.0.0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KUJI_STATE_DIR", "/state")

    def read() -> NotifierSettings:
        return NotifierSettings(_secrets_dir=tmp_path / "compose" / "notifier")

    with pytest.raises(ConfigurationError, match="KUJI_AMQP_URL leads to rabbitmq in the clear"):
        refuse_cleartext(read())
    for name, value in file["environment"].items():
        monkeypatch.setenv(name, value)
    refuse_cleartext(read())
    refuse_cleartext(read().model_copy(update={"mongo_url": SecretStr("mongodb://mongo/")}))


def scanner(url: str, **given: Any) -> Scanner:
    values = {**HERE, "state_dir": "s", "service_keys_dir": "k", "keystore_dir": "k", "clamd_url": url, **given}
    return Scanner.of(VaultSettings.model_validate(values))


def test_papers_go_to_a_scanner_on_this_machine_alone() -> None:
    with pytest.raises(ConfigurationError, match=r"KUJI_CLAMD_URL leads to clamd\.example in the clear.*unix:/run"):
        scanner("tcp://clamd.example:3310")
    for url, given in (
        ("unix:/run/clamav/clamd.ctl", {}),
        ("tcp://127.0.0.1:3310", {}),
        ("tcp://clamd:3310", {"one_host_network": True}),
        ("tcp://clamd.example:3310", {"clock_file": "clock.json"}),
    ):
        assert scanner(url, **given).url == url
