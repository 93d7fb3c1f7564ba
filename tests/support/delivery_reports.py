"""Delivery reports as mail servers write them (RFC 3464), for the tests of the door that takes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipient:
    """One group of fields of a report."""

    address: str
    action: str = "failed"
    status: str = "5.1.1"
    original: str | None = None

    def fields(self) -> str:
        original = f"Original-Recipient: rfc822; {self.original}\n" if self.original else ""
        return f"{original}Final-Recipient: rfc822; {self.address}\nAction: {self.action}\nStatus: {self.status}\n"


def report(*recipients: Recipient, to: str = "bounce+n-1@bounces.example") -> bytes:
    """Return a report in the words of Postfix, with the returned mail at the end."""
    groups = "\n".join(each.fields() for each in recipients)
    text = f"""From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_x"

This is a MIME-encapsulated message.

--=_x
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--=_x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: 4F3C91

{groups}
--=_x
Content-Type: message/rfc822

From: event@777.example.jp
To: {recipients[0].address if recipients else "nobody@example.jp"}
Subject: =?utf-8?b?5oq96YG457WQ5p6c?=

text

--=_x--
"""
    return text.replace("\n", "\r\n").encode("ascii")
