"""A report on an announcement is matched with the addresses of its batch (case b9 of `bounces.json`)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.mail.rules.batch_reports import named_recipients

BATCH = ["hanako+kuji@mail.example", '"taro.t."@docomo.example', "ana@mail.example", "jana@mail.example"]
FIELDS = "Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n{}\n\n--x--\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The mailbox <hanako+kuji@mail.example> is not there.", {"hanako+kuji@mail.example"}),
        ("rfc822;HANAKO+2Bkuji@Mail.Example.", {"hanako+kuji@mail.example"}),
        ("宛先taro.t.@docomo.exampleは存在しません。", {'"taro.t."@docomo.example'}),
        ('<"taro.t."@docomo.example>: unknown', {'"taro.t."@docomo.example'}),
        ("jana@mail.example", {"jana@mail.example"}),
        ("ana@mail.example.org", set()),
        ("> ana@mail.example wrote this", set()),
        ("nothing that can be read", set()),
    ],
)
def test_prose_names_the_addresses_of_the_batch_only(text: str, expected: set[str]) -> None:
    content = f"Subject: failure\nContent-Type: text/plain; charset=utf-8\n\n{text}\n".encode()
    assert named_recipients(content, BATCH) == expected


def test_a_recipient_to_whom_the_mail_was_delivered_is_not_named() -> None:
    delivered = "Final-Recipient: rfc822; ana@mail.example\nAction: delivered\nStatus: 2.0.0"
    failed = "Final-Recipient: rfc822; jana@mail.example\nAction: failed\nStatus: 5.1.1"
    content = FIELDS.format(f"{delivered}\n\n{failed}").encode()
    assert named_recipients(content, BATCH) == {"jana@mail.example"}


def test_the_header_of_exim_names_recipients() -> None:
    assert named_recipients(b"X-Failed-Recipients: ana@mail.example\n\nfailed\n", BATCH) == {"ana@mail.example"}


@given(st.binary(max_size=500))
def test_any_bytes_name_recipients_of_the_batch_or_none(content: bytes) -> None:
    assert named_recipients(content, BATCH) <= set(BATCH)
