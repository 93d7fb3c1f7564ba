"""One person's path says the same as the transcript, in steps that anybody can follow."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy.cli.commands import app
from services.lottery.allocation.reference_allocator import allocate_entry_by_entry
from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import read_rows
from services.lottery.record.transcript import ROWS_FILE
from services.lottery.rules import Rules
from services.lottery.verification.trace import trace
from services.lottery.verification.transcript_checks import derive_key, verify_file
from shared.canonical import canonical
from shared.signing import SigningKey
from tests.support.draw_builders import class_rule, entry, sample_transcript
from tests.unit.lottery.test_allocation import KEY, by_ticket

SIGNING = SigningKey.generate()
CONTENT = sample_transcript(400, SIGNING)
MANIFEST = Manifest.read(CONTENT["manifest"])
ENTRIES = read_rows(CONTENT["rows"])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ENTRIES))
def test_a_path_ends_where_the_transcript_says(chosen):  # noqa: ANN001
    path = trace(derive_key(CONTENT), MANIFEST, ENTRIES, chosen.id)
    assert path is not None
    for each in path.outcomes:
        named = {"won": CONTENT["winners"], "waiting": CONTENT["waiting"]}.get(each.outcome)
        assert named is None or named[each.class_id][(each.rank or 0) - 1] == chosen.id.hex()
    taken = {each.class_id for each in path.attempts if each.outcome == "taken"}
    assert taken == {each.class_id for each in path.outcomes if each.outcome == "won"}


def test_every_step_says_why():
    first, second = by_ticket(1, 2)
    classes = [class_rule("a", 1, hour=9, hours=2), class_rule("b", 1, hour=10), class_rule("c", 2, hour=13)]
    entries = [entry(n, ("a", 1), ("b", 1), ("c", 1)) for n in (1, 2)]
    result = allocate_entry_by_entry(KEY, entries, classes, Rules(2, preferences=True), second.to_bytes(16, "big"))
    steps = [(each.round, each.class_id, each.outcome, each.left) for each in result.attempts]
    assert steps == [
        (1, "a", "full", 0),
        (1, "b", "taken", 1),
        (2, "a", "clash", 0),
        (2, "b", "held", 0),
        (2, "c", "taken", 2),
    ]
    assert first.to_bytes(16, "big") in result.winners["a"]


def test_a_stranger_has_no_path():
    assert trace(derive_key(CONTENT), MANIFEST, ENTRIES, bytes(16)) is None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "transcript.json"
    path.write_text(json.dumps(CONTENT), "utf-8")
    return path


def test_the_command_shows_the_path(file: Path):
    shown = CliRunner().invoke(app, ["verify", str(file), "--entry", ENTRIES[7].id.hex(), "--json"])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["path"]["entries"] == len(ENTRIES)
    plain = CliRunner().invoke(app, ["verify", str(file), "--entry", ENTRIES[7].id.hex()])
    assert "round 1" in plain.stdout
    assert CliRunner().invoke(app, ["verify", str(file), "--entry", "x"]).exit_code == 2


def test_rows_may_lie_in_a_file_of_their_own_and_must_be_the_right_ones(tmp_path: Path):
    unsigned = {name: value for name, value in CONTENT.items() if name != "signature_of_result"}
    apart = {**unsigned, "rows": ROWS_FILE}
    path = tmp_path / "transcript.json"
    path.write_text(json.dumps({**apart, "signature_of_result": SIGNING.sign(canonical(apart))}), "utf-8")
    (tmp_path / ROWS_FILE).write_text(CONTENT["rows"])
    assert verify_file(path).passed
    other = tmp_path / "other"
    other.write_text(CONTENT["rows"].replace(":1", ":2", 1))
    failed = [check.name for check in verify_file(path, rows=other).checks if not check.passed]
    assert failed[0] == "root of the rows", "other rows may give other winners, too"
