"""docker-compose.yml: who reaches whom, who holds what, and that nothing is open that need not be."""

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.compose import secrets
from deploy.compose.front import HOSTS, mail_network
from deploy.compose.record import PORTS
from deploy.local.mongodb import CACHE_GB, COMPRESSORS, ENGINE_CONFIG
from deploy.local.servers import ROOT
from shared.contracts import SERVICES
from shared.signing import SigningKey
from shared.tlog import NoteKey

Compose = dict[str, Any]
SERVERS = ("rabbitmq", "mongo")


@pytest.fixture(scope="module")
def compose() -> Compose:
    loaded: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


def mounts(compose: Compose, name: str) -> dict[str, str]:
    """Return the mounts: path in the container → source."""
    volumes = [each.removesuffix(":ro") for each in compose["services"][name].get("volumes", [])]
    return {each.rpartition(":")[2]: each.rpartition(":")[0] for each in volumes}


def networks(compose: Compose, name: str) -> set[str]:
    return set(compose["services"][name].get("networks", []))


def test_there_are_the_four_services_their_servers_and_one_that_provisions(compose: Compose) -> None:
    assert set(compose["services"]) == {*SERVICES, *SERVERS, "provision", "mailbox", "front", "witness"}
    assert compose["services"]["mailbox"]["profiles"] == ["rehearsal"]
    assert compose["services"]["front"]["profiles"] == ["tls"]


def test_image_names_are_variables_with_the_official_images_as_defaults(compose: Compose) -> None:
    images = {name: compose["services"][name]["image"] for name in SERVERS}
    assert images == {
        "rabbitmq": "${RABBITMQ_IMAGE:-rabbitmq:4}${RABBITMQ_DIGEST:-}",
        "mongo": "${MONGO_IMAGE:-mongo:8}${MONGO_DIGEST:-}",
    }
    assert compose["services"]["front"]["image"] == "${CADDY_IMAGE:-caddy:2}${CADDY_DIGEST:-}"
    for name in (*SERVICES, "provision", "mailbox", "witness"):
        assert compose["services"][name]["build"]["args"]["PYTHON_IMAGE"] == (
            "${PYTHON_IMAGE:-python:3.11-slim-bookworm}${PYTHON_DIGEST:-}"
        )


def test_whatever_stays_running_has_a_health_check(compose: Compose) -> None:
    assert {name for name, each in compose["services"].items() if "healthcheck" not in each} == {"provision"}


def test_ports_of_services_are_on_loopback_only_and_the_front_alone_is_public(compose: Compose) -> None:
    published = {name: each["ports"] for name, each in compose["services"].items() if "ports" in each}
    assert published.pop("front") == [
        "${KUJI_FRONT_HTTP:-80}:8080", "${KUJI_FRONT_HTTPS:-443}:8443", "${KUJI_FRONT_APPROVE:-8444}:8444",
    ]  # fmt: skip
    assert set(published) == set(SERVICES)
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert {name: f"127.0.0.1:${{KUJI_{name.upper()}_PORT:-{port}}}:8100" for name, port in PORTS.items()} == {
        name: ports[0] for name, ports in published.items()
    }
    assert {name: ports[1:] for name, ports in published.items() if ports[1:]} == {
        "vault": ["127.0.0.1:${KUJI_REPORTS_PORT:-8125}:2526", "127.0.0.1:${KUJI_APPROVE_PORT:-8114}:8114"]
    }


def test_no_container_has_a_privilege_or_writes_into_its_image(compose: Compose) -> None:
    for name, each in compose["services"].items():
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "pid", "ipc", "devices"} & set(each), name
        # The program of Caddy's image carries this one, and does not start where it may not have it.
        assert each.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "front" else []), name
        assert each.get("read_only") or name == "rabbitmq", name


@pytest.mark.parametrize("image", ["service", "tools"])
def test_images_of_ours_run_as_a_user_without_rights_and_install_by_hash(image: str) -> None:
    text = (ROOT / "deploy" / "images" / f"{image}.Dockerfile").read_text("utf-8")
    assert "\nUSER 10001:10001\n" in text
    assert "--require-hashes -r /tmp/lock.txt" in text
    assert "COPY . " not in text


def test_a_services_image_holds_its_own_lock_and_code_and_no_other() -> None:
    text = (ROOT / "deploy" / "images" / "service.Dockerfile").read_text("utf-8")
    copied = [line.split()[1] for line in text.splitlines() if line.startswith("COPY")]
    assert copied == ["locks/${SERVICE}.txt", "shared", "services/__init__.py", "services/${SERVICE}"]
    for service in SERVICES:
        assert (ROOT / "locks" / f"{service}.txt").exists()
        assert (ROOT / "services" / service / "__main__.py").exists()


def test_services_meet_in_the_broker_and_no_service_reaches_another(compose: Compose) -> None:
    for one in SERVICES:
        assert {server for server in SERVERS if networks(compose, one) & networks(compose, server)} == set(SERVERS)
    for one, other in itertools.combinations(SERVICES, 2):
        assert not networks(compose, one) & networks(compose, other), (one, other)


def test_only_the_vault_is_on_a_network_that_leads_out(compose: Compose) -> None:
    inward = {name for name, each in compose["networks"].items() if (each or {}).get("internal")}
    open_networks = {
        name
        for name, each in compose["networks"].items()
        if (each or {}).get("driver_opts") == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    }
    assert set(compose["networks"]) - inward - open_networks == {"mail"}
    assert {name for name in compose["services"] if "mail" in networks(compose, name)} == {"vault", "mailbox"}
    assert all(networks(compose, server) <= inward for server in SERVERS)
    for network in open_networks:
        assert {name for name in compose["services"] if network in networks(compose, name)} == {
            network.removeprefix("open-"), "front",
        }  # fmt: skip


def test_the_front_has_an_address_of_its_own_on_each_services_network(compose: Compose) -> None:
    front = compose["services"]["front"]["networks"]
    assert front == {
        f"open-{service}": {"ipv4_address": f"${{KUJI_FRONT_NET:-172.30.77}}.{host}"} for service, host in HOSTS.items()
    }
    for service, host in HOSTS.items():
        ((subnet,),) = (each["ipam"]["config"] for each in [compose["networks"][f"open-{service}"]])
        first, _, size = subnet["subnet"].removeprefix("${KUJI_FRONT_NET:-172.30.77}.").partition("/")
        assert (size, int(first) + 6) == ("29", host)


def test_the_front_reads_its_own_files_only(compose: Compose) -> None:
    folder = "${KUJI_COMPOSE_DIR:-./.kuji/compose}"
    assert mounts(compose, "front") == {
        "/etc/caddy/Caddyfile": "./deploy/front/Caddyfile",
        "/run/kuji": f"{folder}/front",
        "/data": f"{folder}/front-data",
    }
    assert compose["services"]["front"]["env_file"] == [f"{folder}/front.env"]


def test_delivery_reports_are_taken_from_the_network_of_the_mail_server_alone(compose: Compose, tmp_path: Path) -> None:
    secrets.make(tmp_path, rehearsal=False)
    (subnet,) = compose["networks"]["mail"]["ipam"]["config"]
    clients = f"KUJI_BOUNCE_CLIENTS={json.dumps([mail_network({})])}"
    assert subnet["subnet"] == "${KUJI_FRONT_NET:-172.30.77}.32/29"
    assert mail_network({"KUJI_FRONT_NET": "10.1.2"}) == "10.1.2.32/29"
    assert clients in (tmp_path / "vault.env").read_text("utf-8").splitlines()
    assert {name for name in compose["services"] if "mail" in networks(compose, name)} == {"vault", "mailbox"}


def test_the_witness_reaches_the_vault_alone_and_only_it_reads_its_key(compose: Compose) -> None:
    folder = "${KUJI_COMPOSE_DIR:-./.kuji/compose}"
    assert networks(compose, "witness") == {"witness"}
    assert compose["networks"]["witness"] == {"internal": True}
    assert {name for name in compose["services"] if "witness" in networks(compose, name)} == {"witness", "vault"}
    assert mounts(compose, "witness") == {"/witness": f"{folder}/witness-state", "/run/kuji": f"{folder}/witness"}
    holders = [n for n in compose["services"] if f"{folder}/witness-state" in mounts(compose, n).values()]
    assert holders == ["witness"]
    assert "env_file" not in compose["services"]["witness"], "no address of broker or database"


def test_the_vault_is_given_its_witness_and_a_witness_of_the_ward_stays(tmp_path: Path) -> None:
    secrets.make(tmp_path, rehearsal=False)
    key = NoteKey.parse((tmp_path / "vault" / "witness-key").read_text("utf-8"))
    assert key.public == SigningKey.from_bytes((tmp_path / "witness-state" / "key").read_bytes()).public
    settings = (tmp_path / "vault.env").read_text("utf-8")
    assert "KUJI_WITNESS_URL=http://witness:8120\n" in settings
    (tmp_path / "vault.env").write_text(settings.replace("http://witness:8120", "https://witness.ward.example"))
    (tmp_path / "vault" / "witness-key").write_text("the ward's")
    secrets.make(tmp_path, rehearsal=False)
    secrets.pin(tmp_path, "k")
    assert "KUJI_WITNESS_URL=https://witness.ward.example\n" in (tmp_path / "vault.env").read_text("utf-8")
    assert (tmp_path / "vault" / "witness-key").read_text() == "the ward's"
    assert (tmp_path / "witness" / "vault-signing-key").read_text() == "k"


def test_the_broker_keeps_erlangs_ports_to_itself(compose: Compose) -> None:
    assert mounts(compose, "rabbitmq")["/etc/rabbitmq/rabbitmq-env.conf"] == "./deploy/rabbitmq/rabbitmq-env.conf"


def test_the_vaults_way_out_is_the_first_by_name_because_engines_route_by_it(compose: Compose) -> None:
    outward = {name for name in networks(compose, "vault") if not (compose["networks"][name] or {}).get("internal")}
    assert min(outward) == "mail"


def test_each_service_sees_its_own_secrets_and_only_the_vault_its_keys(compose: Compose) -> None:
    folder = "${KUJI_COMPOSE_DIR:-./.kuji/compose}"
    for service in SERVICES:
        found = mounts(compose, service)
        assert found["/run/kuji"] == f"{folder}/{service}"
        assert compose["services"][service]["env_file"] == [f"{folder}/{service}.env"]
        assert {source for source in found.values() if source.startswith(folder)} == {
            f"{folder}/{service}", f"{folder}/clock",
        }  # fmt: skip
    assert [name for name in compose["services"] if "keystore" in mounts(compose, name).values()] == ["vault"]


def test_no_secret_stands_in_the_file_or_in_an_environment(compose: Compose, tmp_path: Path) -> None:
    given = {name: each["environment"] for name, each in compose["services"].items() if "environment" in each}
    assert given == {service: {"KUJI_ONE_HOST_NETWORK": "true"} for service in SERVICES}
    secrets.make(tmp_path, rehearsal=False)
    environments = "".join((tmp_path / f"{service}.env").read_text("utf-8") for service in SERVICES)
    text = environments + (ROOT / "docker-compose.yml").read_text("utf-8")
    kept = [path.read_text("utf-8") for service in SERVICES for path in (tmp_path / service).iterdir()]
    assert len(kept) >= 3 * len(SERVICES)
    assert not [secret for secret in kept if secret in text]
    assert not re.search(r"://[^\s\"/]*@", environments), "an address with a password"


def test_services_wait_for_the_broker_and_for_their_users(compose: Compose) -> None:
    for service in SERVICES:
        assert compose["services"][service]["depends_on"] == {
            "rabbitmq": {"condition": "service_healthy"},
            "provision": {"condition": "service_completed_successfully"},
        }
    assert compose["services"]["provision"]["network_mode"] == "service:mongo"


def test_the_database_takes_no_compressed_message(compose: Compose) -> None:
    assert f"--networkMessageCompressors {COMPRESSORS}" in compose["services"]["mongo"]["command"][0]


def test_the_database_keeps_its_cache_as_on_one_machine(compose: Compose) -> None:
    command = compose["services"]["mongo"]["command"][0]
    assert f"--wiredTigerEngineConfigString {ENGINE_CONFIG}" in command
    assert f"--wiredTigerCacheSizeGB ${{KUJI_MONGO_CACHE_GB:-{CACHE_GB}}}" in command


@pytest.mark.parametrize("command", [["docker", "compose"], ["docker-compose"]])
def test_compose_itself_takes_the_file(command: list[str], tmp_path: Path) -> None:
    """Run docker compose where it is installed; elsewhere the tests above have read the file as YAML."""
    if not _answers(command):
        return
    secrets.make(tmp_path, rehearsal=True)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "KUJI_COMPOSE_DIR": str(tmp_path)}
    asked = subprocess.run(
        [*command, "--profile", "rehearsal", "--profile", "tls", "config"],
        cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    resolved = yaml.safe_load(asked.stdout)
    assert set(resolved["services"]) == {*SERVICES, *SERVERS, "provision", "mailbox", "front", "witness"}
    for path in (each for service in SERVICES for each in (tmp_path / service).iterdir()):
        assert path.read_text("utf-8") not in asked.stdout


def _answers(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    asked = subprocess.run([*command, "version"], check=False, capture_output=True, timeout=60)
    return asked.returncode == 0
