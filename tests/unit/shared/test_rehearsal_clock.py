"""The rehearsal's clock follows its file at once, and reads it only where it was replaced."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.clock import RehearsalClock, set_rehearsal_clock
from shared.errors import ConfigurationError

SPRING, SUMMER = datetime(2018, 5, 15, tzinfo=UTC), datetime(2018, 6, 15, tzinfo=UTC)


def test_each_jump_is_seen_at_once(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    set_rehearsal_clock(file, SPRING)
    clock = RehearsalClock(file)
    for time in (SUMMER, SPRING, SUMMER):
        set_rehearsal_clock(file, time)
        assert time <= clock.now() < time + timedelta(days=1)


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clock.json"
    set_rehearsal_clock(file, SPRING)
    clock = RehearsalClock(file)
    monkeypatch.setattr(Path, "read_text", None)
    assert SPRING <= clock.now() <= clock.now()


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    set_rehearsal_clock(file, SPRING)
    clock = RehearsalClock(file)
    file.unlink()
    with pytest.raises(ConfigurationError):
        clock.now()
