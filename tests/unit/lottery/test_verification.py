"""A transcript checks itself, and any change to it is noticed by a check with a name."""

import contextlib
import copy
import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.lottery.record.transcript import ROWS_FILE
from services.lottery.verification.transcript_checks import checks, verify_file, verify_transcript
from shared.canonical import canonical
from shared.signing import SigningKey
from tests.support.draw_builders import DAY, FROZEN, sample_transcript

SIGNING = SigningKey.generate()
GOOD = sample_transcript(signing=SIGNING)
WITHDRAWN = {
    "event": "withdrawn",
    "reason": "applicant",
    "entry": GOOD["winners"]["escort-kids"][0],
    "class": "escort-kids",
    "seats": 1,
}


def failed(content: Any, key: str | None = None) -> set[str]:
    return {
        check.name for check in verify_transcript(content, None if key is None else (key,)).checks if not check.passed
    }


def resigned(content: dict[str, Any]) -> dict[str, Any]:
    """Change the transcript and sign it again, as a cheating office would: every signature is valid."""
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"}
    unsigned["signature"] = SIGNING.sign(unsigned["manifest"].encode())
    return {**unsigned, "signature_of_result": SIGNING.sign(canonical(unsigned))}


def test_a_good_transcript_passes_every_check():
    report = verify_transcript(GOOD)
    assert report.passed
    assert len(report.checks) == 14
    assert not report.pinned


def test_the_published_key_can_be_compared():
    assert verify_transcript(GOOD, (SigningKey.generate().public, SIGNING.public)).passed
    assert "signing key" in failed(GOOD, SigningKey.generate().public)


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_byte_of_the_file_can_be_changed_unnoticed(tmp_path_factory: pytest.TempPathFactory, at: int, change: int):
    text = bytearray(json.dumps(GOOD, ensure_ascii=False).encode())
    text[at % len(text)] ^= change
    path = tmp_path_factory.getbasetemp() / "changed.json"
    path.write_bytes(text)
    try:
        same = json.loads(text) == GOOD
    except ValueError:
        same = False
    assert verify_file(path).passed == same


def test_no_single_bit_of_a_small_transcript_can_be_changed():
    small = sample_transcript(3, SIGNING)
    text = bytearray(json.dumps(small, ensure_ascii=False).encode())
    assert all(check.passed for check in checks(small))
    unnoticed = []
    for bit in range(8 * len(text)):
        text[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(ValueError):
            if all(check.passed for check in checks(json.loads(text))):
                unnoticed.append(bit)
        text[bit // 8] ^= 1 << bit % 8
    assert unnoticed == []


def test_no_single_bit_that_decides_can_be_changed_even_with_new_signatures():
    """Flip every eleventh bit. A holder of the key can rewrite only reasons and times of the paper trail."""
    small = sample_transcript(3, SIGNING)
    text, free = bytearray(canonical(small)), {"dice_evidence", "history"}
    tried, unnoticed = 0, set[str]()
    for bit in range(0, 8 * len(text), 11):
        text[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            changed = json.loads(text)
            members = {name for name in small.keys() | changed.keys() if small.get(name) != changed.get(name)}
            if not members & {"signature", "signature_of_result", "signing_key"}:
                tried += 1
                unnoticed |= members if all(check.passed for check in checks(resigned(changed))) else set()
        text[bit // 8] ^= 1 << bit % 8
    assert tried > 1000
    assert unnoticed <= free


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (lambda t: t["winners"]["escort-kids"].reverse(), "winners"),
        (lambda t: t["winners"]["escort-kids"].pop(), "winners"),
        (lambda t: t["waiting"]["escort-kids"].append(t["winners"]["escort-kids"][0]), "waiting"),
        (lambda t: t.update(dice="7" * 40), "key"),
        (lambda t: t.update(dice="7" * 39), "dice"),
        (lambda t: t.update(dice=None), "dice"),
        (lambda t: t.update(dice=int(t["dice"][:9])), "dice"),
        (lambda t: t.update(v=1), "form"),
        (lambda t: t.pop("dice_evidence"), "form"),
        (lambda t: t.update(note=""), "form"),
        (lambda t: t["dice_acts"].pop(), "dice"),
        (lambda t: t["dice_acts"].reverse(), "dice"),
        (lambda t: t["dice_acts"][0].update(role="responsible"), "dice"),
        (lambda t: t.update(beacon_signature="00" * 48), "beacon"),
        (lambda t: t.update(key="00" * 32), "key"),
        (lambda t: t.update(rows=t["rows"].split("\n", 1)[1]), "root of the rows"),
        (lambda t: t.update(rows=t["rows"].replace(":1", ":2", 1)), "root of the rows"),
        (lambda t: t["history"].pop(0), "history"),
        (lambda t: t["history"][0].update(at="2018-06-08T00:00:00+00:00"), "history"),
        (lambda t: t.update(manifest=t["manifest"].replace('"capacity":75', '"capacity":76')), "key"),
    ],
)
def test_a_cheat_by_whoever_holds_the_key_is_noticed(change: Any, noticed: str):
    content = copy.deepcopy(GOOD)
    change(content)
    assert noticed in failed(resigned(content))


@pytest.mark.parametrize(
    "content",
    [[], {}, None, 7, {"signing_key": 1}, {**GOOD, "manifest": "{}"}, {**GOOD, "rows": 5}, {**GOOD, "rows": "あ"}],
)
def test_what_is_not_a_transcript_fails_and_does_not_crash(content: Any):
    assert not verify_transcript(content).passed


def test_a_file_that_is_not_json_fails(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"\xff")
    assert not verify_file(tmp_path / "x").passed


@pytest.mark.parametrize(
    "event",
    [
        {"event": "gift", "at": DAY.isoformat(), "reason": ""},
        {"event": "drawn", "at": DAY.isoformat(), "reason": "again"},
        {**WITHDRAWN, "at": (FROZEN - timedelta(seconds=1)).isoformat()},
    ],
    ids=["unknown", "twice", "before the draw"],
)
def test_an_event_that_no_rule_knows_is_noticed(event: dict[str, Any]):
    content = copy.deepcopy(GOOD)
    last = hashlib.sha256(canonical(content["history"][-1])).hexdigest()
    content["history"].append({**event, "prev": last})
    assert failed(resigned(content)) == {"history"}


def test_randomness_known_before_the_objections_ended_is_noticed():
    content = copy.deepcopy(GOOD)
    manifest = json.loads(content["manifest"])
    content["manifest"] = canonical({**manifest, "objections_until": DAY.isoformat()}).decode()
    assert "history" in failed(resigned(content))


def test_rows_in_a_file_of_their_own_count_byte_by_byte(tmp_path: Path):
    path = tmp_path / "transcript.json"
    path.write_text(json.dumps(resigned({**GOOD, "rows": ROWS_FILE})), "utf-8")
    rows = GOOD["rows"].encode()
    (tmp_path / ROWS_FILE).write_bytes(rows)
    assert verify_file(path).passed
    for changed in (rows.replace(b"\n", b"\r\n"), rows.replace(b"\n", b"\r", 1), rows[:-1]):
        (tmp_path / ROWS_FILE).write_bytes(changed)
        assert not verify_file(path).passed
