"""The mail server of the neighbourhood, over real SMTP."""

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

TEXT = b"Subject: =?utf-8?b?5oq96YG4?=\r\n\r\n\xe9\xab\x99\xef\xa8\x91\r\n..a line with dots\r\n"


@pytest.fixture
def smtp(smtp_port: int) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=10) as client:
        client.ehlo()
        yield client


@pytest.fixture
def mark() -> str:
    """Tells the addresses of this test from all others."""
    return token_hex(4)


def kept(mailbox: Path, mark: str) -> list[tuple[dict[str, object], bytes]]:
    envelopes = [(path, json.loads(path.read_text())) for path in sorted(mailbox.glob("*.json"))]
    ours = [
        (path, envelope) for path, envelope in envelopes if any(mark in address for address in envelope["rcpt_tos"])
    ]
    return [(envelope, path.with_suffix(".eml").read_bytes()) for path, envelope in ours]


def test_a_mail_is_kept_byte_for_byte_with_its_envelope(smtp: smtplib.SMTP, mailbox: Path, mark: str) -> None:
    smtp.sendmail("bounce+1@example.invalid", [f"one-{mark}@example.jp", f"two-{mark}@example.jp"], TEXT)

    ((envelope, content),) = kept(mailbox, mark)

    assert content == TEXT
    assert envelope["mail_from"] == "bounce+1@example.invalid"
    assert envelope["rcpt_tos"] == [f"one-{mark}@example.jp", f"two-{mark}@example.jp"]


def test_some_mailboxes_are_not_there(smtp: smtplib.SMTP, mailbox: Path, mark: str) -> None:
    refused = smtp.sendmail("a@example.jp", [f"reject-5xx-{mark}@example.jp", f"one-{mark}@example.jp"], TEXT)

    assert {code for code, _ in refused.values()} == {550}
    ((envelope, _),) = kept(mailbox, mark)
    assert envelope["rcpt_tos"] == [f"one-{mark}@example.jp"]


def test_some_mailboxes_are_busy_twice_and_then_take_it(smtp: smtplib.SMTP, mailbox: Path, mark: str) -> None:
    address = f"defer-4xx-{mark}@example.jp"
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            smtp.sendmail("a@example.jp", [address], TEXT)
        assert [code for code, _ in caught.value.recipients.values()] == [451]

    assert smtp.sendmail("a@example.jp", [address], TEXT) == {}

    assert len(kept(mailbox, mark)) == 1
