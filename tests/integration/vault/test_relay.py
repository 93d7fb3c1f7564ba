"""Test the mail relay over real sockets: its clients, its answers, and the addresses that it hides."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiosmtplib
import pytest

from shared.ids import new_token
from tests.support.mail_relay_harness import (
    ADDRESSES,
    DOMAIN,
    RunningRelay,
    build_mail,
    name_recipient,
    name_recipients,
    person,
    run_relay,
    send_text,
    token_address,
)
from tests.support.mail_server import MailServer
from tests.support.vault_parts import Parts, parts


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Parts]:
    async with parts(mongo_url, namespace, tmp_path, []) as wired:
        yield wired


@pytest.fixture
async def mta() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@pytest.fixture
async def relay(vault: Parts, mta: MailServer) -> AsyncIterator[RunningRelay]:
    async with run_relay(vault, mta.port) as opened:
        yield opened


async def test_a_mail_to_a_token_arrives_at_the_person_with_their_name(
    vault: Parts, relay: RunningRelay, mta: MailServer
) -> None:
    (known,) = await vault.admit([person(1)])
    async with relay.client() as client:
        assert (await name_recipients(client, [token_address(known.token)]))[0][0] == 250
        assert (await send_text(client, build_mail(token_address(known.token), "{{kuji:name}} 様\n")))[0] == 250
    (mail,) = mta.mails
    assert mail.recipients == ("person1@mail.example",)
    assert mail.sender == ADDRESSES.format("n-00000000000000000001")
    assert mail.message["To"] == "person1@mail.example"
    assert mail.message.get_content().startswith(f"{known.person.name} 様")
    assert "tok_" not in mail.all_text()
    assert DOMAIN not in mail.all_text()
    assert "localhost" not in mail.all_text()


async def test_each_recipient_gets_the_mail_servers_own_code_without_its_words(
    vault: Parts, relay: RunningRelay
) -> None:
    boxes = ["a@m.example", "reject-5xx.b@m.example", "defer-4xx.c@m.example", "full-552.d@m.example"]
    known = await vault.admit([person(n, box) for n, box in enumerate(boxes)])
    async with relay.client() as client:
        answers = await name_recipients(client, [token_address(each.token) for each in known])
    assert [code for code, _ in answers] == [250, 550, 451, 552]
    assert [words.split()[0] for _, words in answers] == ["2.1.5", "5.1.1", "4.2.1", "5.0.0"]
    assert not any("m.example" in words for _, words in answers)


async def test_unknown_and_unwanted_recipients_are_refused_by_code(vault: Parts, relay: RunningRelay) -> None:
    paper, mailed = await vault.admit([replace(person(1), email=None), person(2)])
    wrong = [
        token_address(new_token()),
        token_address(paper.token),
        f"{mailed.token}@elsewhere.example",
        f"someone@{DOMAIN}",
        "person2@mail.example",
    ]
    async with relay.client() as client:
        answers = await name_recipients(client, [*wrong, token_address(mailed.token), token_address(mailed.token)])
    assert [code for code, _ in answers] == [550, 550, 550, 550, 550, 250, 550]
    assert all(words.startswith("5.1.1") for _, words in answers[:5])


async def test_a_campaign_that_does_not_allow_the_purpose_is_not_written_to(
    mongo_url: str, namespace: str, tmp_path: Path, mta: MailServer
) -> None:
    async with parts(mongo_url, namespace, tmp_path, []) as vault:
        (known,) = await vault.admit([person(1)])
        forbidding = vault.allowing(vault.campaign.purposes - {"result-notice"})
        async with run_relay(forbidding, mta.port) as relay, relay.client() as client:
            ((code, words),) = await name_recipients(client, [token_address(known.token)])
        assert (code, words.split()[0]) == (550, "5.7.1")
        assert mta.connections == 0


async def test_an_erased_person_is_unknown_and_a_sealed_vault_asks_to_come_again(
    vault: Parts, relay: RunningRelay
) -> None:
    (known,) = await vault.admit([person(1)])
    async with relay.client() as client:
        vault.keystore.destroy_campaign_key(vault.campaign.id)
        assert (await name_recipients(client, [token_address(known.token)]))[0][0] == 550
        vault.keystore.lock()
        assert (await name_recipient(client, token_address(known.token)))[0] == 451


async def test_the_audit_line_is_durable_before_the_mail_server_hears_the_address(
    vault: Parts, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read the audit log at the moment when the mail server receives the address."""
    (known,) = await vault.admit([person(1)])
    seen: list[str] = []
    take = MailServer.handle_RCPT

    async def looking(self: MailServer, *said: object) -> str:
        seen.append(await vault.audited())
        return await take(self, *said)  # type: ignore[arg-type]

    monkeypatch.setattr(MailServer, "handle_RCPT", looking)
    async with relay.client() as client:
        assert (await name_recipients(client, [token_address(known.token)], "n-00000000000000000077"))[0][0] == 250
    assert '"action":"reveal:n-00000000000000000077"' in seen[0]
    assert '"purpose":"result-notice"' in seen[0]
    assert '"actor":"notifier"' in seen[0]


async def test_no_address_leaves_if_the_audit_log_cannot_be_written(
    vault: Parts, relay: RunningRelay, mta: MailServer
) -> None:
    (known,) = await vault.admit([person(1)])
    await vault.store.db.command({"collMod": "audit", "validator": {"never": True}, "validationLevel": "strict"})
    async with relay.client() as client:
        assert (await name_recipients(client, [token_address(known.token)]))[0][0] == 451
    assert mta.connections == 0


async def test_a_client_without_starttls_or_password_is_refused(vault: Parts, relay: RunningRelay) -> None:
    (known,) = await vault.admit([person(1)])
    plain = relay.client(start_tls=False, username=None, password=None)
    async with plain:
        for command in (plain.mail(f"bounce+n-00000000000000000001@{DOMAIN}"), plain.login("notifier", relay.password)):
            with pytest.raises(aiosmtplib.SMTPException):
                await command
    unnamed = relay.client(username=None, password=None)
    async with unnamed:
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
            await name_recipients(unnamed, [token_address(known.token)])
        assert refused.value.code == 530


@pytest.mark.parametrize(("user", "password"), [("notifier", "wrong"), ("intake", None), ("", "")])
async def test_a_wrong_account_is_not_let_in(relay: RunningRelay, user: str, password: str | None) -> None:
    client = relay.client(username=user or " ", password=password or relay.password[:-1])
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await client.connect()


async def test_old_tls_is_refused(relay: RunningRelay) -> None:
    context = ssl.create_default_context(cafile=str(relay.authority))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with relay.client(tls_context=context, cert_bundle=None) as client:
        assert client.is_connected
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((aiosmtplib.SMTPException, OSError)):
        await relay.client(tls_context=context, cert_bundle=None).connect()


async def test_no_more_recipients_than_the_campaign_allows(vault: Parts, relay: RunningRelay) -> None:
    limit = vault.campaign.bcc_batch
    known = await vault.admit([person(n) for n in range(limit + 1)])
    async with relay.client() as client:
        answers = await name_recipients(client, [token_address(each.token) for each in known])
    assert [code for code, _ in answers] == [250] * limit + [452]


async def test_a_mail_server_that_is_away_is_said_quickly_and_nothing_is_kept(vault: Parts) -> None:
    known = await vault.admit([person(1), person(2)])
    async with MailServer() as mta:
        port = mta.port
    async with run_relay(vault, port) as relay, relay.client() as client:
        answers = await name_recipients(client, [token_address(each.token) for each in known])
        assert [code for code, _ in answers] == [451, 451]
        mta = MailServer()
        await mta.open(port)
        await client.rset()
        assert [code for code, _ in await name_recipients(client, [token_address(each.token) for each in known])] == [
            250,
            250,
        ]
        await mta.close()


@pytest.mark.parametrize("trouble", ["hangup", "closing-421"])
async def test_recipients_taken_before_the_session_was_lost_are_not_forgotten_in_silence(
    vault: Parts, relay: RunningRelay, mta: MailServer, trouble: str
) -> None:
    """Break the session after the first recipient: the relay must not report the text as sent to both."""
    first, bad, last = await vault.admit([person(1), person(2, f"{trouble}@m.example"), person(3)])
    async with relay.client() as client:
        answers = await name_recipients(client, [token_address(each.token) for each in (first, bad, last)])
        assert [code for code, _ in answers] == [250, 451, 451]
        assert (await send_text(client, build_mail(vault.campaign.office.mail_to)))[0] == 451
        assert mta.mails == []
        assert (await name_recipients(client, [token_address(first.token)]))[0][0] == 250


async def test_a_kept_session_that_the_mail_server_closed_is_opened_again(
    vault: Parts, relay: RunningRelay, mta: MailServer
) -> None:
    (known,) = await vault.admit([person(1)])
    async with relay.client() as client:
        for number in range(3):
            assert (await name_recipients(client, [token_address(known.token)], f"n-{number:020x}"))[0][0] == 250
            assert (await send_text(client, build_mail(token_address(known.token))))[0] == 250
            if number == 1:
                mta.drop_connections()
                await asyncio.sleep(0.05)
    assert len(mta.mails) == 3
    assert mta.connections == 2


async def test_a_verdict_that_was_lost_is_no_verdict(vault: Parts, relay: RunningRelay, mta: MailServer) -> None:
    """End the connection without a code if the text was sent and no answer came: any code would be wrong."""
    (known,) = await vault.admit([person(1, "mute@m.example")])
    async with relay.client() as client:
        assert (await name_recipients(client, [token_address(known.token)]))[0][0] == 250
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await send_text(client, build_mail(token_address(known.token)))
    assert len(mta.mails) == 1


@pytest.mark.parametrize(("box", "code"), [("spam-554@m.example", 554), ("busy-452@m.example", 452)])
async def test_the_verdict_on_the_text_comes_back_by_code(
    vault: Parts, relay: RunningRelay, box: str, code: int
) -> None:
    (known,) = await vault.admit([person(1, box)])
    async with relay.client() as client:
        await name_recipients(client, [token_address(known.token)])
        answer = await send_text(client, build_mail(token_address(known.token)))
    assert answer[0] == code
    assert "m.example" not in answer[1]


async def test_a_refused_text_reaches_no_recipient_and_the_next_mail_leaves(
    vault: Parts, relay: RunningRelay, mta: MailServer
) -> None:
    one, other = await vault.admit([person(1), person(2)])
    office = vault.campaign.office.mail_to
    async with relay.client() as client:
        await name_recipients(client, [token_address(one.token), token_address(other.token)])
        assert (await send_text(client, build_mail(office, f"{one.person.name} 様")))[0] == 554
        await name_recipients(client, [token_address(other.token)])
        assert (await send_text(client, build_mail(office)))[0] == 250
    assert [mail.recipients for mail in mta.mails] == [("person2@mail.example",)]


async def test_stopping_waits_for_the_verdict_under_way(vault: Parts, mta: MailServer) -> None:
    (known,) = await vault.admit([person(1, "slow@m.example")])
    async with run_relay(vault, mta.port) as relay, relay.client() as client:
        await name_recipients(client, [token_address(known.token)])
        sending = asyncio.create_task(send_text(client, build_mail(token_address(known.token))))
        await asyncio.sleep(0.3)
        await relay.server.stop()
        assert (await sending)[0] == 250
        with pytest.raises((aiosmtplib.SMTPException, OSError)):
            await name_recipients(client, [token_address(known.token)])


async def test_no_log_line_shows_an_address_or_a_name(
    vault: Parts, relay: RunningRelay, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Check the lines of all loggers, also aiosmtpd's and aiosmtplib's, at the service's log level."""
    boxes = ["canary1@m.example", "reject-5xx.canary2@m.example", "mute.canary3@m.example"]
    known = await vault.admit([person(n, box) for n, box in enumerate(boxes)])
    with caplog.at_level(logging.WARNING):
        for each in known:
            async with relay.client() as client:
                if (await name_recipients(client, [token_address(each.token)]))[0][0] == 250:
                    try:
                        await send_text(client, build_mail(token_address(each.token), "{{kuji:name}}"))
                    except aiosmtplib.SMTPServerDisconnected:
                        continue
    seen = caplog.text + "".join(capfd.readouterr())
    assert "verdict-unknown" in seen
    assert "canary" not in seen
    assert not any(each.person.name in seen for each in known)


async def test_the_vault_keeps_nothing_of_a_mail(vault: Parts, relay: RunningRelay) -> None:
    (known,) = await vault.admit([person(1)])
    before = set(await vault.store.db.list_collection_names())
    async with relay.client() as client:
        await name_recipients(client, [token_address(known.token)], "n-00000000000000000001")
        await send_text(client, build_mail(token_address(known.token), "ほかにない言葉\n"))
    assert set(await vault.store.db.list_collection_names()) == before
    kept = [repr(each) for name in before for each in await vault.store.db[name].find().to_list(None)]
    assert "ほかにない言葉" not in "".join(kept)
