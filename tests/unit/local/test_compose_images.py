"""`./kuji compose init` says which images a later pull may exchange, and refuses a digest that is none."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from deploy.cli.commands import app
from deploy.compose.images import DEFAULTS, find_unfixed
from deploy.local.paths import ROOT
from shared.errors import ConfigurationError

DIGEST = f"@sha256:{'0123456789abcdef' * 4}"
ALL = {f"{part}_DIGEST": DIGEST for part in DEFAULTS}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUJI_COMPOSE_DIR", str(tmp_path / "compose"))
    for part in DEFAULTS:
        for kind in ("IMAGE", "DIGEST"):
            monkeypatch.delenv(f"{part}_{kind}", raising=False)
    return tmp_path


def init(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["compose", "init", *arguments], catch_exceptions=False, terminal_width=300)
    assert result.exit_code == 0, result.output
    return result.output


def test_images_without_digest_are_named_with_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    said = init()
    for image, variable in (("rabbitmq:4", "RABBITMQ"), ("mongo:8", "MONGO"), ("python:3.11-slim-bookworm", "PYTHON")):
        assert f"docker buildx imagetools inspect {image}" in said
        assert f"{variable}_DIGEST=@sha256:" in said
    assert "CADDY" not in said, "there is no front"
    assert "CADDY_DIGEST=@sha256:" in init("--domain", "kuji.example")
    for name, value in ALL.items():
        monkeypatch.setenv(name, value)
    assert "DIGEST" not in init()


@pytest.mark.parametrize(
    "wrong", [":8.0", "mongo:8", DIGEST[1:], f"{DIGEST[:-1]}", f"{DIGEST}0", DIGEST.replace("f", "F"), "@sha256:"]
)
def test_what_is_no_digest_stops_it_before_anything_is_made(
    wrong: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGO_DIGEST", wrong)
    with pytest.raises(ConfigurationError, match=r"MONGO_DIGEST is no digest; write MONGO_DIGEST=@sha256:"):
        init()
    assert not (folder / "compose").exists()


def test_a_digest_stands_in_one_place(folder: Path) -> None:
    for image, digest in ((f"mongo:8{DIGEST}", DIGEST), ("mongo:8@sha256:12", "")):
        with pytest.raises(ConfigurationError, match="MONGO_IMAGE"):
            find_unfixed(
                front=True, environment={**ALL, "MONGO_IMAGE": image, "MONGO_DIGEST": digest}, file=folder / "none"
            )
    whole = {**ALL, "MONGO_IMAGE": f"mongo:8{DIGEST}", "MONGO_DIGEST": ""}
    assert find_unfixed(front=True, environment=whole, file=folder / "none") == []


def test_the_environment_counts_before_the_file_beside_the_compose_file(folder: Path) -> None:
    file = folder / ".env"
    file.write_text(
        f"# images\nMONGO_DIGEST={DIGEST}\nexport RABBITMQ_DIGEST='{DIGEST}' # of May\nPYTHON_IMAGE=local/python:3.11\n"
    )
    assert [one.variable for one in find_unfixed(front=True, environment={}, file=file)] == ["CADDY_DIGEST"]
    named = find_unfixed(front=False, environment={"MONGO_DIGEST": "", "MONGO_IMAGE": "mongo:7"}, file=file)
    assert [(one.image, one.variable) for one in named] == [("mongo:7", "MONGO_DIGEST")]


@pytest.mark.parametrize(
    "line",
    [
        "MONGO_DIGEST = {}",
        "MONGO_DIGEST= {}  ",
        "  export  MONGO_DIGEST ={} # of May",
        "MONGO_DIGEST = '{}'",
        'MONGO_DIGEST="{}" #',
    ],
)
def test_a_line_is_read_with_blanks_where_compose_takes_them(folder: Path, line: str) -> None:
    file = folder / ".env"
    file.write_text(line.format(DIGEST) + "\n")
    others = {name: value for name, value in ALL.items() if name != "MONGO_DIGEST"}
    assert find_unfixed(front=True, environment=others, file=file) == []


@pytest.mark.parametrize("value", ["mongo 8", "'@sha256:1 2'", '"not a digest"', f"{DIGEST} {DIGEST}", f"{DIGEST}#x"])
def test_a_value_with_blanks_is_no_digest_and_not_passed_over(folder: Path, value: str) -> None:
    file = folder / ".env"
    file.write_text(f"MONGO_DIGEST={value}\n")
    with pytest.raises(ConfigurationError, match="MONGO_DIGEST is no digest"):
        find_unfixed(front=True, environment={}, file=file)


def test_these_are_the_images_of_the_compose_file_and_their_defaults() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    images = [each["image"] for each in compose["services"].values()]
    bases = [each["build"]["args"]["PYTHON_IMAGE"] for each in compose["services"].values() if "build" in each]
    found = re.findall(r"\$\{(\w+)_IMAGE:-([^}]+)\}\$\{\1_DIGEST:-\}", " ".join([*images, *bases]))
    assert dict(found) == DEFAULTS
