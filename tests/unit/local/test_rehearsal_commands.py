"""A rehearsal of one's own campaign: every file is played, and its clock is moved on by command."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import installation
from deploy.cli.api import NotRunningError
from deploy.cli.commands import app
from deploy.demo.moments import list_moments
from deploy.demo.rehearsal import SAMPLE, rehearsal_of, rehearsals_of
from deploy.web_build import build as pages
from shared.campaign import CampaignError, load_campaign
from shared.clock import RehearsalClock, set_rehearsal_clock
from shared.errors import KujiError


def kuji(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rehearsal", *arguments], terminal_width=100)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Make a folder with one campaign of the office."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "spring.yaml").write_text(SAMPLE.read_text("utf-8").replace("id: 777-days", "id: spring-2018"), "utf-8")
    return folder


@pytest.fixture
def clock(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RehearsalClock:
    """Return the clock of a running rehearsal, an hour after its window has opened."""
    [campaign] = rehearsals_of(own, tmp_path / "played")
    file, record = tmp_path / "clock.json", tmp_path / "installation.json"
    set_rehearsal_clock(file, campaign.window.opens + timedelta(hours=1))
    content = {"campaigns": [campaign.id], "campaigns_dir": str(tmp_path / "played"), "clock_file": str(file)}
    record.write_text(json.dumps({**content, "services": {}}))
    monkeypatch.setenv("KUJI_INSTALLATION", str(record))
    return RehearsalClock(file)


def test_up_rehearses_the_campaigns_of_the_folder_that_was_given(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    home = tmp_path / "run" / "up"
    monkeypatch.setattr(installation, "HOME", home)
    monkeypatch.setattr(installation, "_await_record", lambda *_: None)
    monkeypatch.setattr(installation, "status", lambda **_: None)
    monkeypatch.setattr(installation, "_show_pages", lambda: None)
    monkeypatch.setattr(pages, "ensure", lambda _: None)
    monkeypatch.setattr(installation.subprocess, "Popen", lambda command, **_: started.append(command))

    result = CliRunner().invoke(app, ["up", "--rehearsal", "--campaigns", str(own)])

    assert result.exit_code == 0, result.output
    [command] = started
    assert command[command.index("--campaigns") + 1] == str(home / "campaigns")
    played = [load_campaign(path) for path in (home / "campaigns").iterdir()]
    assert [(campaign.id, campaign.rehearsal) for campaign in played] == [("spring-2018", True)]
    assert RehearsalClock(home / "clock.json").now() - played[0].window.opens < timedelta(hours=1, minutes=1)


def test_next_moves_through_every_moment_in_order(clock: RehearsalClock, own: Path) -> None:
    campaign = load_campaign(own / "spring.yaml")
    moments = [moment.at for moment in list_moments([campaign]) if moment.at > clock.now()]

    for at in sorted(set(moments)):
        result = kuji("next")
        assert result.exit_code == 0, result.output
        assert timedelta(0) <= clock.now() - at < timedelta(seconds=30)
        assert "spring-2018" in result.output
    assert kuji("next").exit_code == 2


@pytest.mark.parametrize("time", ["2018-05-30T12:00", "2018-05-30T03:00+00:00"])
def test_at_moves_to_a_time_of_japan(clock: RehearsalClock, time: str) -> None:
    result = kuji("at", time)

    assert "2018-05-30 12:00:00+09:00" in result.output
    assert clock.now() - datetime.fromisoformat("2018-05-30T12:00+09:00") < timedelta(seconds=30)


@pytest.mark.parametrize("time", ["2017-01-01T12:00", "tomorrow"])
def test_the_clock_stays_where_it_is_for_a_time_that_is_past_or_no_time(clock: RehearsalClock, time: str) -> None:
    before = clock.now()

    assert kuji("at", time).exit_code == 2
    assert clock.now() - before < timedelta(seconds=30)


def test_a_real_installation_has_no_clock_to_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "installation.json"
    record.write_text(json.dumps({"campaigns": ["spring"], "services": {}, "clock_file": None}))
    monkeypatch.setenv("KUJI_INSTALLATION", str(record))

    result = kuji("next")

    assert isinstance(result.exception, NotRunningError)
    assert "not a rehearsal" in str(result.exception)


@pytest.mark.parametrize("line", ["v: 1", "v: 1  # version", "v: 1\nrehearsal: false", "rehearsal: true\nv: 1"])
def test_a_campaign_becomes_a_rehearsal_however_its_first_lines_are_written(tmp_path: Path, line: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(SAMPLE.read_text("utf-8").replace("\nv: 1\n", f"\n{line}\n", 1), "utf-8")

    assert rehearsal_of(file, tmp_path / "played").rehearsal


def test_a_file_that_is_no_campaign_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text("todo: everything\n")

    with pytest.raises(KujiError, match=r"notes\.yaml"):
        rehearsal_of(tmp_path / "notes.yaml", tmp_path / "played")
    with pytest.raises(CampaignError):
        rehearsals_of(tmp_path / "played", tmp_path / "elsewhere")
