"""Tests of where the tests keep their temporary files."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.temporary_folders import folder_in_memory


def test_a_folder_with_room_is_used(tmp_path: Path) -> None:
    assert folder_in_memory(tmp_path, needed_bytes=1) == tmp_path


def test_a_folder_without_room_is_not_used(tmp_path: Path) -> None:
    assert folder_in_memory(tmp_path, needed_bytes=2**60) is None


def test_a_folder_that_is_not_there_is_not_used(tmp_path: Path) -> None:
    assert folder_in_memory(tmp_path / "missing", needed_bytes=1) is None


def test_a_folder_whose_programs_may_not_be_run_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_NOEXEC))
    assert folder_in_memory(tmp_path, needed_bytes=1) is None
