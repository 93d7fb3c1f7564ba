"""Reports as mailers write them: which are final, which are silent, which a person must read (`bounces.json`)."""

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.vault.mail.rules.bounce_address import BounceAddresses
from services.vault.mail.rules.delivery_reports import read_report
from tests.support.delivery_reports import Recipient, report

DAEMON = "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"


def dsn(fields: str, *, kind: str = "message/delivery-status", encoding: str = "7bit") -> bytes:
    """Return a report whose status part has these fields, in a transfer encoding."""
    body = fields.replace("\n", "\r\n").encode()
    if encoding == "base64":
        body = base64.encodebytes(body).replace(b"\n", b"\r\n")
    head = (
        "From: MAILER-DAEMON@mx.example\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nsorry\r\n--x\r\n'
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n--x--\r\n"


def letter(body: str, headers: str = DAEMON, charset: str = "utf-8") -> bytes:
    """Return a plain mail."""
    head = f"{headers}MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
    return head.encode() + body.replace("\n", "\r\n").encode(charset)


TOP = "Reporting-MTA: dns; mx.example\n\n"
FAILED = "Action: failed\nStatus: 5.1.1\n"
ODD_FIELDS = {
    "b2 quoted local part": f'{TOP}Final-Recipient: rfc822; "taro.t."@docomo.example\n{FAILED}',
    "b3 xtext": f"{TOP}Final-Recipient: rfc822;hanako+2Bkuji@mail.example\n{FAILED}",
    "b4 no type": f"{TOP}Original-Recipient: <hanako@mail.example>\n{FAILED}",
    "b4 other type": f"{TOP}Final-Recipient: SMTP; hanako@mail.example.\n{FAILED}",
    "b4 comment": f"{TOP}Final-Recipient: rfc822; hanako@mail.example (Hanako)\n{FAILED}",
    "b5 expired": f"{TOP}Final-Recipient: rfc822; a@b.example\nAction: expired\nStatus:\n",
    "b5 words": f"{TOP}Final-Recipient: rfc822; a@b.example\nAction: failed (bad address)\nStatus: 5.1.1\n",
    "b5 failure": f"{TOP}Final-Recipient: rfc822; a@b.example\nAction: failure\nStatus: 5.1.1\n",
    "b5 no action": f"{TOP}Final-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n",
    "b5 typo": f"{TOP}Final-Recipient: rfc822; a@b.example\nction: failed\nStatus: 5.1.1\n",
    "b6 blank line": f"{TOP}Final-Recipient: rfc822; a@b.example\n\n{FAILED}",
    "upper case": f"{TOP}FINAL-RECIPIENT: RFC822; A@B.EXAMPLE\nACTION: FAILED\nSTATUS: 5.1.1\n",
    "no recipient": f"{TOP}{FAILED}",
    "only a recipient": f"{TOP}Final-Recipient: rfc822; a@b.example\n",
    "given up": f"{TOP}Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 4.4.7\n",
    "delayed before, failed now": f"{TOP}Action: delayed\nStatus: 4.4.1\n\nAction: failed\nStatus: 5.1.1\n",
}


@pytest.mark.parametrize("encoding", ["7bit", "base64"])
@pytest.mark.parametrize("kind", ["message/delivery-status", "message/global-delivery-status"])
@pytest.mark.parametrize("fields", ODD_FIELDS.values(), ids=ODD_FIELDS)
def test_a_failure_in_odd_syntax_is_bounced(fields: str, kind: str, encoding: str) -> None:
    assert read_report(dsn(fields, kind=kind, encoding=encoding), "").verdict == "bounced"


PROSE = {
    "b1 postfix": letter(
        "Each of the following recipients was rejected by a remote mail server.\n\n<hanako@ezweb.example>\n"
    ),
    "qmail": letter(
        "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver.\n\n"
        "<hanako@mail.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line\n",
        "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n",
    ),
    "exim": letter(
        "This message was created automatically by mail delivery software.\n",
        "X-Failed-Recipients: a@b.example\r\nAuto-Submitted: auto-replied\r\nFrom: Mail Delivery <d@b.example>\r\n",
    ),
    "exchange": letter("hanako@mail.example\nThe email address you entered couldn't be found.\n550 5.1.10 RESOLVER\n"),
    "docomo": letter("次のあて先へのメッセージはエラーのため送信できませんでした。\n", DAEMON, "iso-2022-jp"),
    "au": letter("Your mail sent on Mon. could not be delivered\n<a@ezweb.example>: 550 user unknown\n"),
    "softbank": letter("宛先のメールアドレスが存在しません。\n", DAEMON, "shift_jis"),
    "yahoo": letter("宛先のアドレスが見つかりません。\n<a@yahoo.example>:\n", "Subject: 配信不能\r\n", "utf-8"),
    "biglobe": letter("メールを届けられませんでした。\n", "Subject: mail\r\nAuto-Submitted: auto-generated\r\n"),
    "unreadable": b"\xff\xfe\x00",
    "empty": b"",
    "long line": letter("x" * 200_000 + "\n550 5.1.1 user unknown\n"),
}


@pytest.mark.parametrize("content", PROSE.values(), ids=PROSE)
def test_prose_with_the_null_sender_bounces_the_notice_of_its_address(content: bytes) -> None:
    assert read_report(content, "").verdict == "bounced"


AUTO = "From: a@b.example\r\nSubject: =?utf-8?b?5LiN5Zyo?=\r\nAuto-Submitted: auto-replied\r\n"
SILENT = {
    "delayed": dsn(f"{TOP}Final-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.1\n"),
    "delivered": dsn(f"{TOP}Final-Recipient: rfc822; a@b.example\nAction: delivered\nStatus: 2.0.0\n"),
    "relayed": dsn(f"{TOP}Final-Recipient: rfc822; a@b.example\nAction: relayed\nStatus: 2.0.0\n"),
    "vacation": letter("月曜日に戻ります。\n", AUTO),
    "complaint": dsn("Feedback-Type: abuse\n", kind="message/feedback-report"),
}


@pytest.mark.parametrize("content", SILENT.values(), ids=SILENT)
def test_only_delays_successes_vacations_and_complaints_are_silent(content: bytes) -> None:
    assert read_report(content, "").verdict == "silent"


def test_a_letter_of_a_person_is_unclear() -> None:
    assert read_report(letter("ありがとう\n", "From: a@b.example\r\n"), "a@b.example").verdict == "unclear"


def test_the_status_of_a_failure_is_kept() -> None:
    assert read_report(report(Recipient("a@b.example", status="5.2.2 (full)")), "").status == "5.2.2"


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(0, 60), st.sampled_from(sorted(SILENT | PROSE)))
def test_damaged_reports_never_raise(odd: bytes, at: int, name: str) -> None:
    whole = (SILENT | PROSE)[name]
    cut = len(whole) * at // 60
    assert read_report(whole[:cut] + odd + whole[cut:], "").verdict in {"bounced", "unclear", "silent"}


@pytest.mark.parametrize(
    "unit", [b"a", b"@", b"<", b" ", b"a@", b"5.1.", b"\r\n", b"=?utf-8?b?", b"(", b'"', b"--x\r\n"]
)
def test_large_mail_is_read_within_seconds(unit: bytes) -> None:
    started = time.monotonic()
    for head in (DAEMON.encode() + b"\r\n", DAEMON.encode() + b"X-Failed-Recipients: ", b"Content-Type: "):
        read_report(head + unit * (1_000_000 // len(unit)), "")
    assert time.monotonic() - started < 10


def test_parts_within_parts_without_end_are_given_up() -> None:
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (each, each) for each in range(3000)
    )
    assert read_report(nested, "").verdict == "bounced"


def test_a_bounce_address_is_taken_back_byte_for_byte_and_a_wrong_mac_is_not() -> None:
    """Compare with a value computed with openssl dgst -mac HMAC over the bytes of protocols §3."""
    addresses = BounceAddresses("bounces.example", bytes(range(32)))
    address = addresses.format("n-0123456789abcdef0123")
    assert address == "b+0123456789abcdef0123.ezeegae4s9@bounces.example"
    assert addresses.parse(address.upper()) == "n-0123456789abcdef0123"
    assert addresses.parse(address.replace("b+0", "b+1")) is None
    assert addresses.format("m-0123456789abcdef") is None
