"""Two instances of each service on containers: they share the folders of the first, and publish nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.compose import instances
from deploy.local.servers import ROOT
from shared.contracts import SERVICES


@pytest.fixture(scope="module")
def main() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    return loaded


def written(folder: Path, count: int) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(instances.write(folder, count).read_text("utf-8"))["services"]
    return loaded


def test_further_instances_have_the_folders_and_rights_of_the_first_and_no_ports(
    tmp_path: Path, main: dict[str, Any]
) -> None:
    added = written(tmp_path, 2)
    assert set(added) == {f"{service}-2" for service in SERVICES}
    for service in SERVICES:
        first, second = main[service], added[f"{service}-2"]
        assert set(first) - set(second) == {"ports", "build"}
        same = set(second) - {"depends_on"}
        assert {key: second[key] for key in same} == {key: first[key] for key in same}
    assert "keystore:/keystore" in added["vault-2"]["volumes"]


def test_a_further_instance_waits_for_the_first_which_makes_the_keys(tmp_path: Path, main: dict[str, Any]) -> None:
    added = written(tmp_path, 3)
    assert len(added) == 2 * len(SERVICES)
    for name, each in added.items():
        service = name.partition("-")[0]
        assert each["depends_on"] == main[service]["depends_on"] | {service: {"condition": "service_healthy"}}


def test_one_instance_adds_nothing_and_the_front_knows_all(tmp_path: Path) -> None:
    assert written(tmp_path, 2)
    assert "KUJI_VAULT_INSTANCES=vault:8100 vault-2:8100\n" in (tmp_path / "front.env").read_text("utf-8")
    assert written(tmp_path, 1) == {}
    assert "KUJI_VAULT_INSTANCES=vault:8100\n" in (tmp_path / "front.env").read_text("utf-8")
    caddy = (ROOT / "deploy/front/Caddyfile").read_text("utf-8")
    for service in SERVICES:
        assert f"reverse_proxy {{$KUJI_{service.upper()}_INSTANCES:{service}:8100}} {{" in caddy
