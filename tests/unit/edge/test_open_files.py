"""The watched folder takes no file that is being written, and removes none that is not what was sealed."""

import os
from pathlib import Path

import pytest

from deploy.edge.folder_watch import FolderWatch
from deploy.edge.open_files import is_being_written
from deploy.edge.sender import Sender
from deploy.edge.spool import ClearFile
from tests.support import fax_images


class RecordingSender(Sender):
    """Takes down what would be sent, in place of an intake."""

    def __init__(self) -> None:
        self.sent = dict[str, bytes]()

    def resume(self) -> int:
        return 0

    def send(self, file: Path, channel: str, serial: str) -> str:  # type: ignore[override]  # noqa: ARG002
        self.sent[file.name] = file.read_bytes()
        return "F-0000-0001-0"


@pytest.fixture
def watch(tmp_path: Path) -> FolderWatch:
    return FolderWatch(tmp_path, "post", RecordingSender(), tell=lambda _: None, settle_s=0)


def sealed(file: Path) -> ClearFile:
    return ClearFile.of(file, file.stat(), file.read_bytes())


def test_a_scan_written_half_waits_until_its_writer_has_closed_it(watch: FolderWatch):
    scan, file = fax_images.photo("JPEG"), watch.folder / "W-1.jpg"
    with file.open("wb") as slowly:
        slowly.write(scan[: len(scan) // 2])
        slowly.flush()
        assert is_being_written(file)
        watch.once()
        assert watch.sender.sent == {}  # type: ignore[attr-defined]
        slowly.write(scan[len(scan) // 2 :])
    assert not is_being_written(file)
    watch.once()
    assert watch.sender.sent == {"W-1.jpg": scan}  # type: ignore[attr-defined]
    assert not (watch.folder / "rejected").exists()


def test_a_file_that_is_what_was_sealed_goes_and_leaves_nothing_behind(tmp_path: Path):
    file = tmp_path / "W-1.tif"
    file.write_bytes(fax_images.fax(98))
    assert sealed(file).remove()
    assert list(tmp_path.iterdir()) == []
    assert ClearFile(str(file), "1-2-3", "0").remove(), "gone already"


def test_a_file_that_grew_meanwhile_stays_whole_under_its_name(tmp_path: Path):
    file = tmp_path / "W-1.tif"
    file.write_bytes(fax_images.fax(98))
    clear = sealed(file)
    grown = fax_images.fax(98, pages=2)
    file.write_bytes(grown)
    assert not clear.remove()
    assert [each.name for each in tmp_path.iterdir()] == ["W-1.tif"]
    assert file.read_bytes() == grown


def test_a_file_of_the_same_size_and_time_but_other_bytes_stays(tmp_path: Path):
    file = tmp_path / "W-1.tif"
    file.write_bytes(b"first")
    clear, facts = sealed(file), file.stat()
    with file.open("r+b") as opened:
        opened.write(b"other")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert not clear.remove()
    assert file.read_bytes() == b"other"


def test_a_file_that_a_scanner_still_holds_open_stays(tmp_path: Path):
    file = tmp_path / "W-1.tif"
    file.write_bytes(b"page one")
    clear = sealed(file)
    with file.open("ab") as appending:
        assert not clear.remove()
        appending.write(b" page two")
    assert file.read_bytes() == b"page one page two"


def test_a_removal_that_was_interrupted_is_finished(tmp_path: Path):
    file = tmp_path / "W-1.tif"
    file.write_bytes(b"a page")
    clear = sealed(file)
    file.rename(tmp_path / ".W-1.tif.sent")
    assert clear.remove()
    assert list(tmp_path.iterdir()) == []
