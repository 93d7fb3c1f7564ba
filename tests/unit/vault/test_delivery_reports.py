"""The fields of RFC 3464 in each odd syntax of `bounces.json`, in each form in which a report carries them."""

import base64

import pytest

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
