"""Keys that a service was given by hand."""

from pathlib import Path

from shared.pinned_keys import PinnedKeys
from shared.signing import key_name

ONE, OTHER = "A" * 43, "B" * 42 + "A"


def test_before_a_key_is_pinned_there_is_none(tmp_path: Path):
    (tmp_path / "pin").write_text("not known yet: ./kuji compose pin")
    assert PinnedKeys(None).all() == PinnedKeys(tmp_path / "absent").all() == PinnedKeys(tmp_path / "pin").all() == ()


def test_a_rotation_pins_both_keys_and_then_one_without_a_restart(tmp_path: Path):
    file = tmp_path / "pin"
    pinned = PinnedKeys(file)
    for keys in ((ONE,), (OTHER, ONE), (OTHER,)):
        file.write_text("\n".join(keys) + "\n")
        assert pinned.all() == keys
        assert [pinned.named(key_name(key)) for key in (ONE, OTHER)] == [
            key if key in keys else "" for key in (ONE, OTHER)
        ]
    assert pinned.named(None) == ""


def test_a_damaged_file_pins_nothing_new_and_loses_nothing(tmp_path: Path):
    file = tmp_path / "pin"
    pinned = PinnedKeys(file)
    file.write_text(ONE)
    assert pinned.all() == (ONE,)
    for content in ("", OTHER + "\nx", OTHER + ONE):
        file.write_text(content)
        assert pinned.all() == (ONE,)
    file.unlink()
    assert pinned.all() == (ONE,)
