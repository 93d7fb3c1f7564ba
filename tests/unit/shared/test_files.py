"""Files that are written whole or created once; the content is on the disk when the call returns."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from shared import files


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the paths that are synced, in order; a draft appears under its temporary name."""
    paths: list[str] = []
    fsync = os.fsync

    def record(handle: int) -> None:
        paths.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", record)
    return paths


@pytest.mark.parametrize(
    "write",
    [lambda path: files.write_atomic(path, b"new"), lambda path: files.create_once(path, lambda: b"new")],
    ids=["write_atomic", "create_once"],
)
def test_the_file_and_then_its_folder_are_synced(tmp_path: Path, synced: list[str], write: Callable[[Path], object]):
    write(tmp_path / "key")

    assert [Path(path).name.startswith(".key.") for path in synced] == [True, False]
    assert synced[-1] == str(tmp_path)
    assert (tmp_path / "key").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_removed_key_is_synced_away(tmp_path: Path, synced: list[str]):
    path = tmp_path / "campaign.key"
    path.write_bytes(b"secret")

    files.overwrite_and_remove(path)
    files.overwrite_and_remove(path)

    assert synced == [str(path), str(tmp_path)]
    assert not path.exists()


def test_the_old_file_stays_whole_while_the_new_one_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "record"
    path.write_bytes(b"old")

    def crash(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="disk full"):
        files.write_atomic(path, b"new")

    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["record"]


def test_only_the_owner_may_read_unless_another_mode_is_given(tmp_path: Path):
    files.write_atomic(tmp_path / "secret", b"x")
    files.write_atomic(tmp_path / "public", b"x", mode=0o644)

    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "public").stat().st_mode & 0o077 != 0


def test_all_who_create_a_file_at_the_same_time_get_the_same_content(tmp_path: Path):
    ready, contents = Barrier(8), []

    def create(number: int) -> None:
        ready.wait()
        contents.append(files.create_once(tmp_path / "key", lambda: bytes([number])))

    threads = [Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(contents)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
