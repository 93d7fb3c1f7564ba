"""Test which mails the relay sends and refuses, and that none shows one recipient to another (R-S4)."""

import contextlib
import io
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.vault.mail.relay.messages import RefusedMessageError, rewrite
from services.vault.mail.relay.recipient import Recipient
from shared.campaign import load_campaign
from shared.clock import FixedClock
from shared.ids import Token, new_token

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
CLOCK = FixedClock(datetime(2018, 6, 1, 9, 0, tzinfo=UTC))
TOKEN = "tok_0123456789abcdefghjkmnpqrs"
OFFICE = CAMPAIGN.office.mail_to
HANAKO = Recipient(Token(TOKEN), CAMPAIGN, "髙﨑 花子", "hanako.t@mail.example")
YOSHIDA = Recipient(new_token(), CAMPAIGN, "𠮷田 一郎", "ichiro@other.example")
BATCH = [HANAKO, YOSHIDA]
PASS = b"KP1:" + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 5


def letter(
    body: str = "本文\n", *, to: str = OFFICE, subject: str = "抽選結果のお知らせ", kind: str = "plain"
) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "someone@elsewhere.example"
    message["To"] = to
    message["Subject"] = subject
    message.set_content(body, subtype=kind, charset="utf-8", cte="base64")
    return message


def sent(message: EmailMessage | bytes, recipients: list[Recipient]) -> EmailMessage:
    content = message if isinstance(message, bytes) else message.as_bytes()
    out = rewrite(content, recipients, envelope_id="n-1", domain="bounces.example", clock=CLOCK)
    return message_from_bytes(out, _class=EmailMessage, policy=policy.default)


def to_hanako(body: str = "{{kuji:name}} 様\n", **more: str) -> EmailMessage:
    return letter(body, to=f"{TOKEN}@relay.kuji.internal", **more)


def test_one_recipient_gets_the_name_and_the_real_address() -> None:
    out = sent(to_hanako(), [HANAKO])
    assert out["To"] == "hanako.t@mail.example"
    assert out.get_content() == "髙﨑 花子 様\r\n"


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="{\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=300)
)
def test_every_text_arrives_as_it_was_written(text: str) -> None:
    assert sent(to_hanako(text + "\n"), [HANAKO]).get_content() == (text + "\n").replace("\n", "\r\n")


def test_a_name_in_a_page_cannot_become_markup() -> None:
    who = Recipient(HANAKO.token, CAMPAIGN, "<b>&", HANAKO.address)
    assert sent(to_hanako("<p>{{kuji:name}}</p>\n", kind="html"), [who]).get_content() == "<p>&lt;b&gt;&amp;</p>\r\n"


def test_only_headers_of_ours_go_out() -> None:
    message = to_hanako()
    for name in ("Received", "X-Mailer", "X-Originating-IP", "Reply-To", "Sender", "Message-ID", "Date", "Return-Path"):
        message[name] = "secret.host.internal"
    out = sent(message, [HANAKO])
    assert {name.lower() for name in out} == {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
        "content-transfer-encoding",
    }  # fmt: skip
    assert b"internal" not in out.as_bytes()
    assert out["Message-ID"] == "<n-1@bounces.example>"
    assert out["Auto-Submitted"] == "auto-generated"
    assert out["From"].addresses[0].addr_spec == CAMPAIGN.office.mail_from
    assert out["Date"].datetime == CLOCK.at


def test_what_stands_around_and_between_parts_does_not_leave() -> None:
    message = to_hanako()
    message.make_alternative()
    message.add_alternative("<p>{{kuji:name}}</p>", subtype="html")
    message.preamble, message.epilogue = "before secret", "after secret"
    message.set_boundary("secret-boundary")
    for part in message.iter_parts():
        part["X-Note"] = "secret"
    out = sent(message, [HANAKO])
    assert out.get_content_type() == "multipart/alternative"
    assert [part.get_content().strip() for part in out.iter_parts()] == ["髙﨑 花子 様", "<p>髙﨑 花子</p>"]
    assert b"secret" not in out.as_bytes()


@pytest.mark.parametrize(
    "name",
    ["Bcc", "Cc", "bcc", "Resent-To", "Resent-Bcc", "Apparently-To", "X-Original-To", "Delivered-To",
     "Disposition-Notification-To", "Return-Receipt-To"],
)  # fmt: skip
@pytest.mark.parametrize("recipients", [[HANAKO], BATCH])
def test_headers_that_show_or_ask_for_people_are_refused(name: str, recipients: list[Recipient]) -> None:
    message = to_hanako("x") if len(recipients) == 1 else letter("x")
    message[name] = "somebody@example.jp"
    with pytest.raises(RefusedMessageError, match=r"^554 5\.6\.0 "):
        sent(message, recipients)


SECRETS = [
    HANAKO.token, HANAKO.token.upper(), "hanako.t@mail.example", "HANAKO.T@MAIL.EXAMPLE", "髙﨑 花子", "髙﨑花子",
    "ｈａｎａｋｏ.ｔ@mail.example", "hanako.t@\nmail.example", "han\u200bako.t@mail.example", "𠮷田　一郎",
    "髙﨑\n花子", "ichiro@other.example",
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_text_for_many_that_names_one_of_them_is_refused(secret: str, kind: str) -> None:
    with pytest.raises(RefusedMessageError):
        sent(letter(f"皆様\n{secret}\n", kind=kind), BATCH)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_subject_for_many_that_names_one_of_them_is_refused(secret: str) -> None:
    with pytest.raises(RefusedMessageError):
        sent(letter(subject="お知らせ " + secret.replace("\n", " ")), BATCH)


def test_a_name_hidden_in_a_page_as_numbers_is_refused() -> None:
    hidden = "".join(f"&#{ord(each)};" for each in "髙﨑花子")
    with pytest.raises(RefusedMessageError):
        sent(letter(f"<p>{hidden}</p>", kind="html"), BATCH)


def test_a_header_within_a_part_that_names_one_of_them_is_refused() -> None:
    message = letter()
    message.make_mixed()
    next(iter(message.iter_parts()))["X-For"] = "=?utf-8?b?6auZ76iRIOiKseWtkA==?="
    with pytest.raises(RefusedMessageError):
        sent(message, BATCH)


def test_a_text_to_many_without_names_leaves_under_the_campaigns_own_address() -> None:
    out = sent(letter("皆様\n"), BATCH)
    assert out["To"] == OFFICE
    assert out.get_content() == "皆様\r\n"
    assert sent(letter("皆様\n"), [HANAKO]).as_bytes() == out.as_bytes()


@pytest.mark.parametrize("to", [f"{TOKEN}@relay.kuji.internal", "hanako.t@mail.example", f"{OFFICE}, other@x.example"])
def test_many_under_another_address_than_the_campaigns_are_refused(to: str) -> None:
    with pytest.raises(RefusedMessageError):
        sent(letter(to=to), BATCH)


@pytest.mark.parametrize(
    "to",
    ["hanako.t@mail.example", f"{YOSHIDA.token}@relay.kuji.internal", "x@y.example"],
    ids=["real", "token", "elsewhere"],
)
def test_one_recipient_under_another_address_is_refused(to: str) -> None:
    with pytest.raises(RefusedMessageError):
        sent(letter(to=to), [HANAKO])


@pytest.mark.parametrize("body", ["{{kuji:address}}", "{{kuji:name }}", "{{kuji:"])
def test_unknown_placeholders_are_refused(body: str) -> None:
    for message, recipients in ((to_hanako(body), [HANAKO]), (letter(body), BATCH)):
        with pytest.raises(RefusedMessageError):
            sent(message, recipients)


def test_a_placeholder_in_a_subject_or_for_many_is_refused() -> None:
    for message, recipients in ((to_hanako(subject="{{kuji:name}}"), [HANAKO]), (letter("{{kuji:name}}"), BATCH)):
        with pytest.raises(RefusedMessageError):
            sent(message, recipients)


def test_a_token_in_the_text_does_not_leave_even_for_its_owner() -> None:
    for message in (to_hanako(f"see {TOKEN}"), to_hanako(subject=f"re {new_token()}")):
        with pytest.raises(RefusedMessageError):
            sent(message, [HANAKO])


def test_attachments_and_pictures_are_refused() -> None:
    attached = to_hanako()
    attached.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="x.pdf")
    carried = to_hanako()
    carried.add_attachment(letter())
    for message in (attached, carried):
        with pytest.raises(RefusedMessageError):
            sent(message, [HANAKO])


def with_passes(*said: tuple[bytes, str], to: str = f"{TOKEN}@relay.kuji.internal") -> EmailMessage:
    message = letter("本文\n", to=to)
    for text, number in said:
        message.add_attachment(text, "application", "vnd.kuji.pass", params={"number": number})
    return message


def test_a_pass_leaves_as_a_picture_that_the_relay_drew() -> None:
    out = sent(with_passes((PASS, "3"), (PASS, "12")), [HANAKO])
    text, *pictures = out.iter_parts()
    assert text.get_content() == "本文\r\n"
    assert [each.get_filename() for each in pictures] == ["pass-3.png", "pass-12.png"]
    picture = Image.open(io.BytesIO(pictures[0].get_content()))
    expected = [
        [255 * (1 - dark) for dark in row]
        for row in segno.make(PASS.decode(), error="m", boost_error=False).matrix_iter(border=4)
    ]
    seen = picture.convert("L")
    side = seen.width // len(expected)
    assert [
        [seen.getpixel((x * side + 1, y * side + 1)) for x in range(len(expected))] for y in range(len(expected))
    ] == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"\x89PNG", "1"),
        (PASS[:-1], "1"),
        (PASS + PASS, "1"),
        (PASS + " 髙﨑 花子".encode(), "1"),
        (PASS, "100"),
        (PASS, "x"),
    ],
)
def test_what_is_no_pass_does_not_leave_as_one(text: bytes, number: str) -> None:
    with pytest.raises(RefusedMessageError):
        sent(with_passes((text, number)), [HANAKO])


def test_a_pass_to_many_and_more_passes_than_anybody_can_hold_are_refused() -> None:
    for message, recipients in [
        (with_passes((PASS, "1"), to=OFFICE), BATCH),
        (with_passes(*[(PASS, "1")] * 21), [HANAKO]),
    ]:
        with pytest.raises(RefusedMessageError):
            sent(message, recipients)


@pytest.mark.parametrize("charset", ["no-such-charset", "iso-2022-jp"])
def test_a_text_whose_letters_cannot_be_read_is_refused(charset: str) -> None:
    content = to_hanako().as_bytes().replace(b'charset="utf-8"', f'charset="{charset}"'.encode())
    with pytest.raises(RefusedMessageError):
        sent(content, [HANAKO])


@settings(max_examples=200)
@given(st.binary(max_size=400), st.integers(0, 100))
def test_odd_bytes_are_refused_or_sent_but_never_crash(odd: bytes, at: int) -> None:
    whole = to_hanako().as_bytes()
    cut = len(whole) * at // 100
    with contextlib.suppress(RefusedMessageError):
        assert sent(whole[:cut] + odd + whole[cut:], [HANAKO])["To"] == HANAKO.address


def test_lines_are_short_and_end_as_smtp_wants() -> None:
    out = rewrite(to_hanako("長" * 3000).as_bytes(), [HANAKO], envelope_id="n-1", domain="bounces.example", clock=CLOCK)
    lines = out.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert b"\n" not in b"".join(lines)
    assert out.isascii()
