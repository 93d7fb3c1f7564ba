"""Files of `./kuji compose init` fit the services, the broker, MongoDB and the contracts."""

import json
import shutil
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from cryptography import x509

from deploy.cli import api
from deploy.compose import record, secrets
from deploy.compose.front import Front, trusted_address
from deploy.local.servers import ROOT
from services.intake.settings import IntakeSettings
from services.lottery.settings import LotterySettings
from services.notifier.settings import NotifierSettings
from services.vault.settings import VaultSettings
from shared.contracts import ROUTES, SERVICES
from shared.errors import ConfigurationError
from shared.messaging.access import permissions, topic_permissions
from shared.messaging.names import Names
from shared.messaging.topology import describe
from shared.settings import ServiceSettings
from shared.storage import TRANSACTION_LIFETIME_S
from shared.web.sign_in.origins import parse_origins

SETTINGS: dict[str, type[ServiceSettings]] = {
    "intake": IntakeSettings,
    "lottery": LotterySettings,
    "notifier": NotifierSettings,
    "vault": VaultSettings,
}
IMAGE = {
    "KUJI_HTTP_HOST": "0.0.0.0",
    "KUJI_HTTP_PORT": "8100",
    "KUJI_STATE_DIR": "/state",
    "KUJI_CAMPAIGNS_DIR": "/campaigns",
}
"""What deploy/images/service.Dockerfile sets."""


@pytest.fixture(params=[False, True], ids=["for real", "for a rehearsal"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    assert secrets.make(tmp_path / "compose", rehearsal=request.param).new
    return tmp_path / "compose"


def variables(folder: Path, service: str) -> dict[str, str]:
    lines = (folder / f"{service}.env").read_text("utf-8").splitlines()
    return {**IMAGE, **dict(line.split("=", 1) for line in lines)}


def settings(folder: Path, service: str, monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    for name, value in variables(folder, service).items():
        monkeypatch.setenv(name, value)
    return SETTINGS[service](_secrets_dir=folder / service)


def broker(folder: Path) -> dict[str, list[dict[str, str]]]:
    loaded: dict[str, list[dict[str, str]]] = json.loads((folder / "rabbitmq" / "definitions.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_is_a_setting_of_its_service(folder: Path, service: str) -> None:
    known = {f"KUJI_{name.upper()}" for name in SETTINGS[service].model_fields} | {"KUJI_SECRETS_DIR"}
    assert set(variables(folder, service)) <= known


def test_the_image_sets_what_these_tests_assume() -> None:
    text = (ROOT / "deploy" / "images" / "service.Dockerfile").read_text("utf-8")
    assert all(f"{name}={value}" in text for name, value in IMAGE.items())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_read_its_settings(folder: Path, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = settings(folder, service, monkeypatch)
    amqp, mongo = urlsplit(read.amqp_url.get_secret_value()), urlsplit(read.mongo_url.get_secret_value())
    assert (amqp.username, amqp.hostname, amqp.port) == (service, "rabbitmq", 5672)
    assert (mongo.username, mongo.hostname, mongo.port) == (read.mongo_database, "mongo", 27017)
    assert f"authSource={read.mongo_database}" in mongo.query
    assert "replicaSet=kuji" in mongo.query


@pytest.mark.parametrize("service", SERVICES)
def test_every_file_a_setting_names_is_mounted_there(folder: Path, service: str) -> None:
    named = [value for name, value in variables(folder, service).items() if value.startswith("/run/kuji/")]
    assert named
    assert all((folder / service / Path(value).name).read_text("utf-8").strip() for value in named)


def test_the_bounce_server_has_a_certificate_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = settings(folder, "vault", monkeypatch)
    assert isinstance(vault, VaultSettings)
    assert vault.bounce_cert_file is not None
    content = (folder / "vault" / vault.bounce_cert_file.name).read_bytes()
    names = x509.load_pem_x509_certificate(content).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert "vault" in names.value.get_values_for_type(x509.DNSName)


def test_only_a_rehearsal_follows_a_clock_file_and_sends_to_the_mailbox(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    rehearsal = "rehearsal" in request.node.callspec.id
    for service in SERVICES:
        assert ("KUJI_CLOCK_FILE" in variables(folder, service)) is rehearsal
    assert ("KUJI_MTA_HOST" in variables(folder, "vault")) is rehearsal


def test_the_broker_gets_one_user_per_service_with_the_rights_of_its_routes(folder: Path) -> None:
    document = broker(folder)
    assert {user["name"]: user["tags"] for user in document["users"]} == {service: [] for service in SERVICES}
    for right in document["permissions"]:
        needed = permissions(right["user"])
        assert (right["configure"], right["write"], right["read"]) == ("^$", needed.write, needed.read)
    for service in SERVICES:
        found = {(each["exchange"], each["write"]) for each in document["topic_permissions"] if each["user"] == service}
        assert found == {(each.exchange, each.write) for each in topic_permissions(service)}


def test_the_broker_gets_the_queues_of_the_routes(folder: Path) -> None:
    queues = {queue["name"] for queue in broker(folder)["queues"]}
    assert queues == {queue.name for queue in describe().queues}
    assert {Names("").queue(service, route.event) for route in ROUTES for service in route.consumers} <= queues


def test_mongodb_gets_one_user_per_service_named_like_its_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users: dict[str, str] = json.loads((folder / "mongo" / "users.json").read_text("utf-8"))["users"]
    read = {service: settings(folder, service, monkeypatch) for service in SERVICES}
    assert users == {
        each.mongo_database: urlsplit(each.mongo_url.get_secret_value()).password for each in read.values()
    }


def test_mongodb_ends_transactions_as_soon_as_the_services_expect() -> None:
    command = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["mongo"]["command"]
    assert f"transactionLifetimeLimitSeconds={TRANSACTION_LIFETIME_S}" in command[0]


def test_every_password_is_its_own(folder: Path) -> None:
    folders = [folder / service for service in SERVICES]
    urls = [(each / name).read_text("utf-8") for each in folders for name in (secrets.AMQP_URL, secrets.MONGO_URL)]
    tokens = [(each / "ops-token").read_text("utf-8") for each in folders]
    passwords = [urlsplit(url).password for url in urls]
    assert len({*passwords, *tokens}) == 3 * len(SERVICES)


def test_the_folder_is_closed_to_other_users_of_the_machine(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not [path for path in folder.glob(".*") if path.is_dir()]


def test_a_second_run_keeps_every_secret_and_renews_what_follows_from_the_contracts(folder: Path) -> None:
    rehearsal = "KUJI_CLOCK_FILE" in variables(folder, "intake")
    definitions = folder / "rabbitmq" / "definitions.json"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path != definitions}
    definitions.unlink()
    assert secrets.make(folder, rehearsal=rehearsal).new is False
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path != definitions} == before
    assert {user["name"] for user in broker(folder)["users"]} == set(SERVICES)


def test_a_folder_of_a_version_without_witness_gets_the_pinned_keys_for_it(tmp_path: Path) -> None:
    secrets.make(tmp_path, rehearsal=False)
    secrets.pin(tmp_path, "former-key\nnext-key")
    for made_later in ("witness", "witness-state"):
        shutil.rmtree(tmp_path / made_later)
    (tmp_path / "notifier" / secrets.PIN).write_text("one key only")
    secrets.make(tmp_path, rehearsal=False)
    assert (tmp_path / "witness" / secrets.PIN).read_text("utf-8") == "former-key\nnext-key"
    assert (tmp_path / "notifier" / secrets.PIN).read_text("utf-8") == "one key only", "what is pinned stays"


def test_a_folder_made_for_a_rehearsal_is_not_taken_for_real_people(tmp_path: Path) -> None:
    secrets.make(tmp_path, rehearsal=True)
    with pytest.raises(ConfigurationError, match="other purpose"):
        secrets.make(tmp_path, rehearsal=False)


def test_the_command_line_finds_the_published_addresses_and_their_tokens(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUJI_INSTALLATION", str(record.write(folder, ROOT / "deploy" / "campaigns")))
    installation = api.read_record()
    assert api.campaign_or_only(None) == "777-days"
    for service in SERVICES:
        endpoint = installation["services"][service]
        assert endpoint["url"] == f"http://127.0.0.1:{record.PORTS[service]}"
        assert Path(endpoint["token_file"]).read_text("utf-8") == (folder / service / "ops-token").read_text("utf-8")


def test_behind_a_front_pages_have_host_names_of_their_own_and_only_its_address_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.make(tmp_path, rehearsal=False)
    (tmp_path / "vault.env").write_text((tmp_path / "vault.env").read_text("utf-8") + "KUJI_MTA_HOST=mx.example\n")
    secrets.make(tmp_path, rehearsal=False, front=Front.of("kuji.example"))
    (tmp_path / "front.env").write_text((tmp_path / "front.env").read_text("utf-8") + "KUJI_TLS=/run/kuji/a.crt b\n")
    secrets.make(tmp_path, rehearsal=False, front=Front.of("kuji.example"))
    assert variables(tmp_path, "vault")["KUJI_MTA_HOST"] == "mx.example"
    front = variables(tmp_path, "front")
    assert front["KUJI_TLS"] == "/run/kuji/a.crt b"
    assert {front[name] for name in ("HOME", "XDG_CONFIG_HOME")} == {"/tmp"}, "its user has no home"  # noqa: S108
    assert record.pages(tmp_path, "vault") == "https://vault.kuji.example"
    for service in SERVICES:
        read = settings(tmp_path, service, monkeypatch)
        assert parse_origins(read.origins, service)[service].cookie("kuji-session").startswith("__Host-")
        assert [str(network) for network in read.trusted_proxies] == [f"{trusted_address(service)}/32"]


@pytest.mark.parametrize("domain", ["", "https://kuji.example", "kuji.example\nKUJI_TLS=x", "-kuji", "Kuji.example"])
def test_a_domain_that_is_no_host_name_is_refused(domain: str) -> None:
    with pytest.raises(ConfigurationError):
        Front.of(domain)
