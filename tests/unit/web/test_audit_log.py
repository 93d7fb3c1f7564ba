"""The page of records verifies the audit log on the reader's device, and agrees with the vault's own verification."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.vault.audit.lines import AuditEvent, write_lines
from shared.signing import SigningKey
from shared.tlog import COSIGNATURE, Checkpoint, Frontier, Note, NoteKey, cosign, sign_checkpoint
from tests.support.node_programs import Ask, bundled

KEY, WITNESS, STRANGER = (SigningKey.from_bytes(bytes([number]) * 32) for number in (7, 8, 9))
ORIGIN = "kuji/audit/0123456789abcdef/1"
EVENT = AuditEvent("suzuki-01", "handler", "reveal:n1", "result-notice", None, "ab12", "shown")
LINES = [line.text for line in write_lines([replace(EVENT, outcome=f"髙 {n}") for n in range(1030)], 0, "2026-01-01")]
ALL = {"numbers": True, "signed": True, "tree": True, "witnessed": True}


def note(lines: list[str], key: SigningKey = KEY) -> Note:
    tree = Frontier()
    for line in lines:
        tree.append_text(line)
    return sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root()), key)


def log(size: int, **changes: Any) -> dict[str, Any]:
    lines = LINES[:size]
    signed = note(lines)
    cosigned = signed.with_signature(cosign(signed.body, WITNESS, "ward", datetime(2026, 1, 1, tzinfo=UTC)))
    whole = {
        "lines": lines,
        "checkpoint": signed.to_text(),
        "cosigned": cosigned.to_text(),
        "key": NoteKey(ORIGIN, KEY.public).vkey,
        "witness_key": NoteKey("ward", WITNESS.public, COSIGNATURE).vkey,
    }
    return whole | changes


@pytest.fixture(scope="module")
def verify(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, bool]]:
    ask: Ask = bundled("audit.ts", tmp_path_factory.mktemp("web"))

    def asked(question: dict[str, Any], expected: str = "") -> dict[str, bool]:
        return dict(ask("verify", {"log": question, "expected": expected}))

    return asked


Verify = Callable[..., dict[str, bool]]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 1024, 1030])
def test_a_log_of_any_size_holds(verify: Verify, size: int):
    assert verify(log(size)) == ALL
    assert verify(log(size), KEY.public) == ALL | {"expected": True}


def test_a_log_without_a_witness_and_one_with_lines_after_the_checkpoint_hold(verify: Verify):
    assert verify(log(5, witness_key=None, cosigned=None)) == {"numbers": True, "signed": True, "tree": True}
    assert verify(log(5, lines=LINES[:9])) == ALL


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"lines": LINES[:49]}, {"tree", "witnessed"}),
        ({"lines": [*LINES[:20], LINES[20].replace("suzuki", "tanaka"), *LINES[21:50]]}, {"tree", "witnessed"}),
        ({"lines": [*LINES[:20], *LINES[21:50]]}, {"numbers", "tree", "witnessed"}),
        ({"lines": [LINES[1], LINES[0], *LINES[2:50]]}, {"numbers", "tree", "witnessed"}),
        ({"lines": ["no json", *LINES[1:50]]}, {"numbers", "tree", "witnessed"}),
        ({"checkpoint": note(LINES[:50], STRANGER).to_text()}, {"signed"}),
        ({"key": NoteKey(ORIGIN, STRANGER.public).vkey}, {"signed"}),
        ({"witness_key": NoteKey("ward", STRANGER.public, COSIGNATURE).vkey}, {"witnessed"}),
        ({"cosigned": note(LINES[:50]).to_text()}, {"witnessed"}),
        ({"cosigned": None}, {"witnessed"}),
    ],
)
def test_whatever_was_changed_is_found(verify: Verify, changes: dict[str, Any], wrong: set[str]):
    findings = verify(log(50, **changes))
    assert {name for name, passed in findings.items() if not passed} == wrong


@pytest.mark.parametrize("checkpoint", [None, "", "x", "a\nb\nc\n\n\u2014 x y\n", "o\n-1\nAAAA\n\n\u2014 o AAAA\n"])
def test_without_a_checkpoint_nothing_counts_as_verified(verify: Verify, checkpoint: str | None):
    assert verify(log(3, checkpoint=checkpoint))["signed"] is False


def test_a_key_that_is_not_the_one_on_paper_is_shown_as_such(verify: Verify):
    assert verify(log(3), STRANGER.public)["expected"] is False
