"""A copy of a key folder: what it brings back, and what an archive that somebody else made may not bring."""

import tarfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from deploy.backup import key_folder
from shared.errors import ConfigurationError


def _member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, 4 if kind == tarfile.REGTYPE else 0
    return made


def _archive(file: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(file, "w") as archive:
        for member in members:
            archive.addfile(member, BytesIO(b"keys"))
    return file


def test_files_come_back_with_their_content_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    (folder / "campaigns").mkdir(parents=True)
    (folder / "campaigns" / "777.json").write_bytes(b"wrapped")
    (folder / "root.json").write_bytes(b"{}")
    key_folder.copy(folder, tmp_path / "copy.tar", timedelta(days=1))

    key_folder.restore(tmp_path / "copy.tar", tmp_path / "new", [])

    found = {str(path.relative_to(tmp_path / "new")): path for path in (tmp_path / "new").rglob("*")}
    assert {name: found[name].read_bytes() for name in ("campaigns/777.json", "root.json")} == {
        "campaigns/777.json": b"wrapped",
        "root.json": b"{}",
    }
    assert {oct(path.stat().st_mode & 0o777) for path in found.values() if path.is_file()} == {"0o600"}
    assert {oct(path.stat().st_mode & 0o777) for path in found.values() if path.is_dir()} == {"0o700"}


@pytest.mark.parametrize(
    "members",
    [
        (_member("../outside.json"),),
        (_member("campaigns/../../outside.json"),),
        (_member("/tmp/outside.json"),),  # noqa: S108  (a name in an archive)
        (_member("campaigns", tarfile.SYMTYPE, ".."), _member("campaigns/outside.json")),
        (_member("outside.json", tarfile.LNKTYPE, "/etc/hostname"),),
        (_member("pipe", tarfile.FIFOTYPE),),
        (_member("root.json"), _member("root.json")),
    ],
    ids=["parent", "hidden parent", "absolute", "link to a folder", "hard link", "pipe", "twice"],
)
def test_an_archive_that_is_no_copy_writes_nothing_outside_the_folder(
    tmp_path: Path, members: tuple[tarfile.TarInfo, ...]
) -> None:
    with pytest.raises(ConfigurationError, match=r"copy\.tar is no copy of a key folder; give a file of `backup keys`"):
        key_folder.restore(_archive(tmp_path / "copy.tar", *members), tmp_path / "new", [])
    assert not list(tmp_path.glob("outside*"))
