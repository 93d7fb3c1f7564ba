"""An exported audit log: edit, reorder, truncation and fork are named in plain words."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.vault.audit.lines import AuditEvent, write_lines
from services.vault.audit.rules.verification import ExportedLog, verify_log
from shared.ids import CampaignId
from shared.signing import SigningKey
from shared.tlog import COSIGNATURE, Checkpoint, Frontier, NoteKey, cosign, sign_checkpoint

KEY, WARD = SigningKey.from_bytes(b"\x01" * 32), SigningKey.from_bytes(b"\x02" * 32)
ORIGIN = "kuji/audit/office/1"
WITNESS = NoteKey("kuji/witness/ward", WARD.public, COSIGNATURE)
AT = "2018-05-31T10:00:00+09:00"
EVENT = AuditEvent("suzuki-01", "handler", "open", "intake", CampaignId("777-days"), None, "opened")
LINES = [line.text for line in write_lines([replace(EVENT, outcome=f"o{number}") for number in range(20)], 0, AT)]


def note(lines: list[str], *, cosigned: bool = False, key: SigningKey = KEY) -> str:
    tree = Frontier()
    for line in lines:
        tree.append_text(line)
    signed = sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root()), key)
    line = cosign(signed.body, WARD, WITNESS.name, datetime(2018, 6, 1, tzinfo=UTC))
    return (signed.with_signature(line) if cosigned else signed).to_text()


EXPORT = ExportedLog(LINES, note(LINES, cosigned=True), NoteKey(ORIGIN, KEY.public), WITNESS)
OTHER = [*LINES[:4], LINES[4].replace("suzuki", "tanaka"), *LINES[5:]]


def failures(log: ExportedLog) -> str:
    return "; ".join(check.text for check in verify_log(log) if not check.passed)


def test_a_log_as_written_holds_also_with_lines_after_the_checkpoint():
    assert failures(EXPORT) == ""
    assert failures(replace(EXPORT, checkpoint=note(LINES[:12], cosigned=True), known=[note(LINES[:5])])) == ""
    assert "2 lines came after" in verify_log(replace(EXPORT, checkpoint=note(LINES[:18], cosigned=True)))[-1].text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (OTHER, "edited or replaced"),
        ([*LINES[:4], LINES[4].replace(":", ": ", 1), *LINES[5:]], "line 5 was edited"),
        ([*LINES[:4], LINES[5], LINES[4], *LINES[6:]], "reordered: line 6 stands where line 5"),
        ([*LINES[:4], *LINES[5:]], "line 5 is missing"),
        (LINES[:-3], "truncated: 3 of 20 signed lines"),
        ([*LINES[:4], "no line", *LINES[5:]], "line 5 is no line"),
    ],
)
def test_each_change_is_named(changed: list[str], words: str):
    assert words in failures(replace(EXPORT, lines=changed))


def test_two_logs_of_one_key_are_a_fork():
    assert "forked" in failures(replace(EXPORT, known=[note(OTHER)]))
    assert "forked" in failures(replace(EXPORT, known=[note(OTHER[:10])]))
    assert "truncated" in failures(
        replace(EXPORT, lines=LINES[:8], checkpoint=note(LINES[:8]), known=[EXPORT.checkpoint])
    )


def test_foreign_keys_and_a_missing_cosignature_are_named():
    assert "not signed by a key of the log" in failures(replace(EXPORT, checkpoint=note(LINES, key=WARD)))
    assert "another log" in failures(replace(EXPORT, log_key=NoteKey("kuji/audit/office/2", KEY.public)))
    assert "cosigned none" in failures(replace(EXPORT, checkpoint=note(LINES)))
    assert failures(replace(EXPORT, checkpoint=note(LINES), witness_key=None)) == ""


def test_a_line_has_the_members_of_the_protocol_and_no_hash_of_the_line_before():
    members = (
        '"action":"open","actor":"suzuki-01","at":"2018-05-31T10:00:00+09:00","campaign":"777-days","outcome":"o0"'
    )
    assert LINES[0] == f'{{{members},"purpose":"intake","role":"handler","seq":1,"subject":null,"v":2}}'
