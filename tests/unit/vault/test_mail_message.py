"""Build mails by hand: every reader of mail understands them, and nothing in a text can become a header."""

import email
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.vault.mail.rules.message import Mail, Picture, build_message
from services.vault.mail.rules.pass_picture import draw_pass

CODE = "KP1:" + "A2B7" * 40


def mail(**changes: Any) -> Mail:
    members: dict[str, Any] = {
        "office": "新宿未来創造財団",
        "sender": "office@city.example",
        "to": "hanako@mail.example",
        "subject": "抽選結果",
        "body": "髙﨑 𠮷 様\n",
        "message_id": "n-00000000000000000001@bounces.example",
        "date": datetime(2018, 5, 29, 10, 0, tzinfo=UTC),
    }
    return Mail(**(members | changes))


def parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, _class=EmailMessage, policy=policy.default)


@given(subject=st.text(max_size=80), body=st.text(max_size=400))
def test_no_text_adds_a_header_or_breaks_a_line(subject: str, body: str) -> None:
    content = build_message(mail(subject=subject, body=body))
    message = parsed(content)
    assert set(message.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    }  # fmt: skip
    assert content.isascii()
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line or line.startswith(b".") or len(line) > 100 for line in lines)
    assert message.get_content_type() == "text/plain"


def test_a_mail_is_read_as_it_was_meant() -> None:
    message = parsed(build_message(mail(subject="【催し】抽選結果のお知らせ" * 4)))
    assert message["Subject"] == "【催し】抽選結果のお知らせ" * 4
    assert message["From"] == "新宿未来創造財団 <office@city.example>"
    assert message["To"] == "hanako@mail.example"
    assert message.get_content().splitlines() == ["髙﨑 𠮷 様"]
    assert message["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("address", ["a@b.example\r\nBcc: all@b.example", "a b@c.example", "花@c.example", ""])
def test_an_address_that_no_header_may_hold_builds_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match="header"):
        build_message(mail(to=address))


def test_a_pass_is_a_picture_that_readers_decode() -> None:
    content = build_message(mail(pictures=(Picture("pass-7.png", draw_pass(CODE)),)))
    text, picture = list(parsed(content).walk())[1:]
    assert text.get_content_type() == "text/plain"
    assert picture.get_filename() == "pass-7.png"
    image = Image.open(BytesIO(picture.get_content())).convert("L")
    (found,) = zxingcpp.read_barcodes(image)
    assert (found.text, found.ec_level) == (CODE, "M")
