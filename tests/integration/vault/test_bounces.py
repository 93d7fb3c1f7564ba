"""Delivery reports at the vault's listener: real SMTP and a real database; only ids, verdicts and codes leave."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import aiosmtplib
import pytest

from services.vault.mail.bounces import BounceOptions, BounceServer, Network
from services.vault.mail.rules.bounce_address import BounceAddresses
from shared.contracts import MailBounced
from shared.ids import CampaignId, NoticeId, Token
from shared.storage import OUTBOX
from tests.support.delivery_reports import Recipient, report
from tests.support.message_samples import TOKEN
from tests.support.vault_parts import Parts, parts

ADDRESSES = BounceAddresses("bounces.example", bytes(32))
NOTICE = "n-00000000000000000001"
TO = ADDRESSES.format(NOTICE) or ""
LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Parts]:
    async with parts(mongo_url, namespace, tmp_path, []) as wired:
        yield wired


@asynccontextmanager
async def connect(
    vault: Parts, clients: Sequence[Network] = LOOPBACK, batch: Mapping[str, Token] | None = None
) -> AsyncIterator[aiosmtplib.SMTP]:
    """Run the listener and connect to it as the mail server. `batch`: recipients, if the notice is an announcement."""

    def list_campaigns() -> list[CampaignId]:
        return [vault.campaign.id]

    async def find_batch(notice: NoticeId) -> Mapping[str, Token]:
        assert notice == NOTICE
        return batch or {}

    server = BounceServer(BounceOptions("127.0.0.1", 0, ADDRESSES, clients), list_campaigns, vault.store, find_batch)
    await server.start()
    try:
        client = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=server.port, timeout=10, start_tls=False, local_hostname="mx.example"
        )
        async with client:
            yield client
    finally:
        await server.stop()


async def deliver(vault: Parts, content: bytes, to: str = TO, sender: str = "") -> str:
    async with connect(vault) as mx:
        return (await mx.sendmail(sender, [to], content))[1]


async def published(vault: Parts) -> list[tuple[str, str, str]]:
    events = await vault.said(MailBounced)
    return [(event.notice_id, event.verdict, event.status) for event in events if isinstance(event, MailBounced)]


async def test_a_report_bounces_the_notice_of_its_address_whatever_mailbox_it_names(vault: Parts) -> None:
    """Cases b8 and b2."""
    assert (await deliver(vault, report(Recipient("forwarded@far.example", status="5.2.2")))).startswith("2.0.0")
    assert await published(vault) == [(NOTICE, "bounced", "5.2.2")]


async def test_a_line_of_any_length_is_taken(vault: Parts) -> None:
    """Case b7."""
    content = report(Recipient("a@b.example")).replace(b"I'm sorry", b"x" * 100_000)
    assert (await deliver(vault, content)).startswith("2.0.0")
    assert await published(vault) == [(NOTICE, "bounced", "5.1.1")]


async def test_a_letter_of_a_person_is_published_as_unclear(vault: Parts) -> None:
    await deliver(vault, b"Subject: hello\r\n\r\nthanks\r\n", sender="someone@mail.example")
    assert await published(vault) == [(NOTICE, "unclear", "5.0.0")]


async def test_a_delay_publishes_nothing(vault: Parts) -> None:
    await deliver(vault, report(Recipient("a@b.example", "delayed", "4.4.1")))
    assert await published(vault) == []


BATCH = {"hanako@mail.example": TOKEN, "taro@mail.example": Token("tok_" + "0" * 26)}


async def batch_events(vault: Parts, content: bytes) -> list[tuple[str | None, str]]:
    async with connect(vault, batch=BATCH) as mx:
        await mx.sendmail("", [TO], content)
    return [(event.token, event.verdict) for event in await vault.said(MailBounced) if isinstance(event, MailBounced)]


async def test_a_report_on_an_announcement_bounces_the_recipient_that_it_names(vault: Parts) -> None:
    """Case b9."""
    content = b"Subject: failure\r\n\r\nThe mailbox taro@mail.example is not there.\r\n"
    assert await batch_events(vault, content) == [("tok_" + "0" * 26, "bounced")]


async def test_a_report_on_an_announcement_that_names_no_recipient_is_unclear(vault: Parts) -> None:
    """Case b9."""
    assert await batch_events(vault, b"Subject: failure\r\n\r\nother@mail.example\r\n") == [(None, "unclear")]


async def test_a_delay_of_an_announcement_publishes_nothing(vault: Parts) -> None:
    assert await batch_events(vault, report(Recipient("taro@mail.example", "delayed", "4.4.1"))) == []


@pytest.mark.parametrize("to", [TO.upper(), '"{}"@{}'.format(*TO.split("@"))])
async def test_an_address_in_upper_case_or_quoted_is_taken(vault: Parts, to: str) -> None:
    await deliver(vault, report(Recipient("a@b.example")), to=to)
    assert await published(vault) == [(NOTICE, "bounced", "5.1.1")]


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\x00" * 1000 + b"\r\n", b"\xff\xfe\r\n.\x80\r\n"])
async def test_mail_of_any_bytes_is_taken_and_published(vault: Parts, content: bytes) -> None:
    assert (await deliver(vault, content)).startswith("2.0.0")
    assert [(notice, verdict) for notice, verdict, _ in await published(vault)] == [(NOTICE, "bounced")]


async def test_a_report_of_ten_megabytes_is_taken(vault: Parts) -> None:
    content = report(Recipient("a@b.example")).replace(b"text\r\n", (b"x" * 998 + b"\r\n") * 10_000)
    assert (await deliver(vault, content)).startswith("2.0.0")
    assert await published(vault) == [(NOTICE, "bounced", "5.1.1")]


async def test_the_same_report_twice_is_the_same_event(vault: Parts) -> None:
    for _ in range(2):
        await deliver(vault, report(Recipient("a@b.example")))
    rows = [row async for row in vault.store.db[OUTBOX].find({"name": MailBounced.name})]
    assert len(rows) == 2
    assert len({row["event_id"] for row in rows}) == 1


async def test_nothing_that_leaves_or_stays_shows_an_address(vault: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    await deliver(vault, report(Recipient("stranger@far.example")))
    names = await vault.store.db.list_collection_names()
    stored = [repr(row) for name in names for row in await vault.store.db[name].find().to_list(None)]
    seen = "\n".join([*stored, *capsys.readouterr()])
    assert "report-read" in seen
    assert "stranger" not in seen


@pytest.mark.parametrize(
    "to", ["someone@bounces.example", f"bounce+{NOTICE}@bounces.example", TO.replace("01.", "02.")]
)
async def test_an_address_that_the_vault_did_not_make_is_refused(vault: Parts, to: str) -> None:
    """Case b11."""
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await deliver(vault, report(Recipient("a@b.example")), to=to)
    assert refused.value.recipients[0].code == 550


async def test_another_client_than_the_mail_server_is_sent_away_before_it_says_anything(
    vault: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(aiosmtplib.SMTPConnectError, match="only the mail server"):
        async with connect(vault, [ip_network("192.0.2.0/24")]):
            pass
    assert capsys.readouterr().out.count("request-refused") == 1


async def test_the_mail_server_has_a_limited_number_of_connections_and_of_commands(
    vault: Parts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("services.vault.mail.bounce_listener._MOST_CONNECTIONS", 2)
    async with connect(vault) as first:
        second, third = (aiosmtplib.SMTP(hostname="127.0.0.1", port=first.port, start_tls=False) for _ in range(2))
        await second.connect()
        with pytest.raises(aiosmtplib.SMTPConnectError, match="421"):
            await third.connect()
        assert capsys.readouterr().out.count("request-refused") == 1
        codes = [(await second.execute_command(b"NOOP")).code for _ in range(21)]
        assert codes == [250] * 20 + [421]
        assert capsys.readouterr().out.count("request-refused") == 1
        await third.connect()
        await third.quit()


@pytest.mark.parametrize("line", [b"BREW", b"RCPT TO:<a@b.example>", b"AUTH PLAIN AAAA", b"VRFY", b"DATA"])
async def test_every_refusal_of_the_listener_leaves_one_line_without_input(
    vault: Parts, line: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    async with connect(vault) as mx:
        capsys.readouterr()
        assert (await mx.execute_command(line)).code >= 500
        written = capsys.readouterr().out
    assert written.count("request-refused") == 1
    assert "example" not in written
