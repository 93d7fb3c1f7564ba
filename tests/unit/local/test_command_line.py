"""The command line as a newcomer meets it: what it says without an installation, and of files that do not hold."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.api import CallRefusedError, NotRunningError
from deploy.cli.commands import app

COMMANDS = (
    "demo", "test", "up", "down", "status", "verify", "held", "parked", "notices", "prints", "draw", "close-out",
    "seal", "signing-key", "bench", "lock", "help",
)  # fmt: skip


def kuji(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), terminal_width=100)


def test_help_names_every_command() -> None:
    said = kuji("help")

    assert said.exit_code == 0
    assert [command for command in COMMANDS if command not in said.output] == []


def test_a_mistyped_command_is_answered_with_the_way_to_help() -> None:
    said = kuji("demmo")

    assert said.exit_code == 2
    assert "No such command" in said.output


@pytest.mark.parametrize(
    "command", [["held", "list"], ["parked", "list"], ["notices", "list"], ["draw", "status"], ["seal"]]
)
def test_staff_calls_say_how_to_start_when_nothing_runs(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUJI_INSTALLATION", str(tmp_path / "absent.json"))

    said = kuji(*command)

    assert isinstance(said.exception, NotRunningError)
    assert "./kuji up" in str(said.exception)


def test_an_unknown_campaign_is_answered_with_those_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "installation.json"
    record.write_text(json.dumps({"campaigns": ["spring", "autumn"], "services": {}}))
    monkeypatch.setenv("KUJI_INSTALLATION", str(record))

    said = kuji("held", "list", "--campaign", "summer")

    assert "spring, autumn" in str(said.exception)
    assert not isinstance(said.exception, CallRefusedError)


@pytest.mark.parametrize("content", [b"not JSON \xff", b"[]", b"{}", b'{"v": 1, "manifest": "x"}'])
def test_a_file_that_is_no_transcript_does_not_hold(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "transcript.json"
    file.write_bytes(content)

    said = kuji("verify", str(file))

    assert said.exit_code == 1
    assert "does not hold" in said.output


def test_a_machine_reads_the_verdict_of_verify(tmp_path: Path) -> None:
    file = tmp_path / "transcript.json"
    file.write_text("{}")

    said = kuji("verify", str(file), "--json")

    assert said.exit_code == 1
    verdict = json.loads(said.output)
    assert verdict["passed"] is False
    assert [check for check in verdict["checks"] if not check["passed"]]


def test_a_certificate_is_not_checked_without_the_key_it_is_compared_with(tmp_path: Path) -> None:
    file = tmp_path / "certificate.json"
    file.write_text('{"certificate": "x"}')

    said = kuji("verify", str(file))

    assert said.exit_code == 2
    assert "--key" in said.output


def test_a_pdf_is_checked_as_a_disclosure_against_the_vaults_key(tmp_path: Path) -> None:
    file = tmp_path / "disclosure.pdf"
    file.write_bytes(b"%PDF-1.7")

    assert kuji("verify", str(file)).exit_code == 2
    said = kuji("verify", str(file), "--key", "A" * 43)

    assert said.exit_code == 1
    assert "not a disclosure" in said.output


def test_a_certificate_with_a_wrong_key_does_not_hold(tmp_path: Path) -> None:
    file = tmp_path / "certificate.json"
    file.write_text('{"certificate": "x"}')

    said = kuji("verify", str(file), "--key", "A" * 43)

    assert said.exit_code == 1
