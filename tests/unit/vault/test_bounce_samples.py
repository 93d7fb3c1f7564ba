"""Mail as it comes to bounce addresses: each sample in `tests/cases/bounces` lies in the folder of its verdict.

The samples have the form of the mailers' reports, in words of our own. `Return-Path` is the envelope sender.
"""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.vault.mail.rules.delivery_reports import read_report

SAMPLES = sorted((Path(__file__).parents[2] / "cases" / "bounces").rglob("*.eml"))
RETURNING = [path for path in SAMPLES if b"message/rfc822" in path.read_bytes()]
FAILURES = [path for path in SAMPLES if path.parent.name == "bounced"]
DAEMON = b"From: MAILER-DAEMON@mx.example\nSubject: failure\n"
VERDICTS = {"bounced", "unclear", "silent"}
LARGE = 10 * 1024 * 1024
MOST_CPU_S = 10.0
"""Far above the time needed on two busy cores (0.3 s), far below that of an expression in quadratic time (hours)."""


def sender_of(content: bytes) -> str:
    found = re.search(rb"^Return-Path: <(.*)>", content, re.MULTILINE)
    assert found is not None, "a sample names its envelope sender"
    return found[1].decode()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_a_sample_gets_the_verdict_of_its_folder(sample: Path, line_end: bytes) -> None:
    content = sample.read_bytes()
    assert read_report(content.replace(b"\n", line_end), sender_of(content)).verdict == sample.parent.name


def test_each_verdict_has_samples() -> None:
    assert {path.parent.name for path in SAMPLES} == VERDICTS
    assert len(SAMPLES) > 100


@pytest.mark.parametrize("sample", FAILURES, ids=lambda path: path.stem)
def test_nul_bytes_hide_no_failure(sample: Path) -> None:
    content = sample.read_bytes()
    assert read_report(content.replace(b"\n\n", b"\n\n\x00\x00\n"), sender_of(content)).verdict != "silent"


@pytest.mark.parametrize("sample", RETURNING, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_returned_mail_of_ten_megabytes_changes_no_verdict(sample: Path) -> None:
    content = sample.read_bytes()
    end = content.rindex(b"\n--")
    whole = content[:end] + b"\n" + (b"x" * 70 + b"\n") * (LARGE // 71) + content[end:]
    assert read_report(whole, sender_of(content)).verdict == sample.parent.name


def test_a_delay_that_goes_on_beyond_what_is_read_is_unclear() -> None:
    """Leave room for a failure behind the part that was read."""
    delay = b"From: MAILER-DAEMON@mx.example\nSubject: Warning\n\nTHIS IS A WARNING MESSAGE ONLY.\n"
    assert read_report(delay, "").verdict == "silent"
    assert read_report(delay + b"x\n" * 200_000 + b"550 5.1.1 user unknown\n", "").verdict == "unclear"


def read_within_bounds(content: bytes, sender: str) -> str:
    started = time.thread_time()
    verdict = read_report(content, sender).verdict
    assert time.thread_time() - started < MOST_CPU_S
    return verdict


SENDERS = st.sampled_from(["", "<>", "MAILER-DAEMON", "hanako@mail.example", "\udcff"])


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=4000), SENDERS)
def test_any_bytes_get_a_verdict(content: bytes, sender: str) -> None:
    assert read_within_bounds(content, sender) in VERDICTS


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(SAMPLES), st.binary(max_size=200), st.floats(0, 1), st.floats(0, 1), SENDERS)
def test_any_damage_of_a_sample_gets_a_verdict(sample: Path, odd: bytes, begin: float, end: float, sender: str) -> None:
    content = sample.read_bytes()
    left, right = sorted((int(len(content) * begin), int(len(content) * end)))
    assert read_within_bounds(content[:left] + odd + content[right:], sender) in VERDICTS


REPEATED = [
    b"a", b"@", b"<", b" ", b"\t", b"a@", b"5.1.", b"\n", b"\n ", b"=?utf-8?b?", b"(", b'"', b"--x\n", b"> ", b"<style",
    b"</p", b"&#", b"- ", b"Action: ", b"Action: failed\n", b"Final-Recipient: ", b"delivery to ", b"user ", b"\x1b$B",
]  # fmt: skip
HEADS = [
    DAEMON + b"\n",
    DAEMON + b"Content-Type: text/html\n\n",
    DAEMON + b"X-Failed-Recipients: ",
    b"Content-Type: ",
    b'Content-Type: multipart/report; boundary="x"\n\n--x\nContent-Type: message/delivery-status\n\n',
]


@pytest.mark.parametrize("unit", REPEATED)
def test_a_large_mail_of_one_repeated_piece_is_read_in_bounded_time(unit: bytes) -> None:
    for head in HEADS:
        assert read_within_bounds(head + unit * (1_000_000 // len(unit)), "") in VERDICTS


def test_parts_within_parts_without_end_are_given_up() -> None:
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (depth, depth) for depth in range(3000)
    )
    assert read_within_bounds(nested, "") == "bounced"
    assert read_within_bounds(b"Content-Type: message/rfc822\n\n" * 3000, "") == "bounced"
