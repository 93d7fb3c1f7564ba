"""Units of systemd for an office without containers: well formed, hardened, started with settings that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.paths import ROOT
from services.intake.settings import IntakeSettings
from services.vault.settings import VaultSettings

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
MOST_EXPOSED = 15
"""Limit of `systemd-analyze security`, in tenths; a unit without any measure has 96."""

DEMANDED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "LimitCORE": "0",
    "UMask": "0077",
    "IPAddressDeny": "any",
    "ProtectProc": "invisible",
    "RestrictNamespaces": "yes",
    "StateDirectoryMode": "0700",
}


def service(unit: Path) -> dict[str, str]:
    settings: dict[str, str] = {}
    section = ""
    for line in unit.read_text("utf-8").replace("\\\n", " ").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "Service" and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            settings[name] = f"{settings[name]} {value}" if name in settings else value
    return settings


def test_there_is_a_unit_for_each_program() -> None:
    assert [unit.name for unit in UNITS] == ["kuji-vault.service", "kuji-witness.service", "kuji@.service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_gives_up_what_its_program_does_not_need(unit: Path) -> None:
    settings = service(unit)
    assert {name: settings.get(name) for name in DEMANDED} == DEMANDED
    assert settings["User"] == settings["Group"] != "root"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_variable_is_a_setting(unit: Path) -> None:
    known = {f"KUJI_{name.upper()}" for kind in (IntakeSettings, VaultSettings) for name in kind.model_fields}
    named = set(re.findall(r"KUJI_\w+(?==)", service(unit)["Environment"]))
    assert named <= known | {"KUJI_SECRETS_DIR"}


def test_only_the_vault_may_lock_memory_and_reach_its_keys() -> None:
    vault, others = service(UNITS[0]), service(UNITS[2])
    assert vault["LimitMEMLOCK"] == "infinity"
    assert "LimitMEMLOCK" not in others
    assert "-/var/lib/kuji/keystore" in others["InaccessiblePaths"]
    assert {"mlockall", "seccomp", "prlimit64"} <= set(vault["SystemCallFilter"].split())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_itself_takes_the_unit_and_finds_it_little_exposed(unit: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    name = unit.name.replace("@", "@intake")
    program = root / re.split(r"\s", service(unit)["ExecStart"].replace("%i", "intake"))[0].lstrip("/")
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folder = root / "etc" / "systemd" / "system"
    folder.mkdir(parents=True)
    shutil.copy(unit, folder / unit.name)
    (root / "usr" / "lib" / "systemd" / "system").mkdir(parents=True)
    for target in ("network-online", "sysinit", "basic", "shutdown", "multi-user", "-.mount"):
        suffix = target if "." in target else f"{target}.target"
        (root / "usr" / "lib" / "systemd" / "system" / suffix).write_text("[Unit]\n")
    verified = analyze("verify", f"--root={root}", "--man=no", "--recursive-errors=no", name)
    assert (verified.returncode, verified.stderr) == (0, ""), verified.stderr
    exposed = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", f"--root={root}", name)
    assert exposed.returncode == 0, exposed.stdout[-400:]


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
