"""R-S4, from the message to the bytes in the mailbox: each mail has one recipient, and shows no other person.

The notifier sends real mail through the vault's real relay to a real mail server; what arrived is read as bytes, with
every header and every part decoded, and searched for every other person's name, address and token. The relay would
refuse a mail to several recipients that shows one to another; the notifier sends no such mail (ADR 0026).
"""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from services.vault.mail.relay.naming import names_one_of

from tests.support.leak_search import seek
from tests.support.mail_relay_harness import (
    build_mail,
    name_recipient,
    name_recipients,
    run_relay,
    send_text,
    token_address,
)
from tests.support.mail_server import MailServer, ReceivedMail
from tests.support.notifier_harness import NotifierHarness
from tests.support.vault_parts import Known, parts

BAD = {3: "reject-5xx.bad3@m.example", 17: "reject-5xx.bad17@m.example", 44: "reject-5xx.bad44@m.example"}


@pytest.fixture
async def mta() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@pytest.fixture
async def harness(
    amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path, mta: MailServer
) -> AsyncIterator[NotifierHarness]:
    async with (
        parts(mongo_url, namespace, tmp_path, []) as vault,
        run_relay(vault, mta.port) as relay,
        NotifierHarness(amqp_url, mongo_url, namespace, vault, relay, mta) as built,
    ):
        yield built


def secrets_of(known: Known) -> dict[str, str]:
    """Return the values of a person that no other person may see; phone and address never leave the vault."""
    person = known.person
    values = {"name": person.name, "address": person.address, "phone": person.phone, "token": known.token}
    return {**values, "mail": person.email or known.token, "application": known.application_id}


class Recipients:
    """People who must not appear in each other's mail, as bytes in any encoding of a canary or as readable text."""

    def __init__(self, people: Sequence[Known]) -> None:
        self._people = people
        self._sought = seek(
            {f"{known.token} {name}": value for known in people for name, value in secrets_of(known).items()}
        )

    def assert_hidden_in(self, mail: ReceivedMail, *, but: Known | None = None) -> None:
        """Assert that the mail shows no value of these people, `but` excepted."""
        own = but.token if but else "none"
        leaks = self._sought.find("mail", mail.content)
        assert [leak for leak in leaks if not leak.canary.startswith(own)] == []
        others = [known for known in self._people if known is not but]
        assert not names_one_of((value for known in others for value in secrets_of(known).values()), mail.all_text())


async def test_each_loser_gets_a_mail_of_the_own_that_shows_nothing_of_another(
    harness: NotifierHarness, mta: MailServer
) -> None:
    people = await harness.admit_people(50, dict(BAD))
    async with harness.run_notifier(gather_s=60):
        await harness.publish_results(people, "lost", "lost")
        await harness.wait_for_states(sent=47, to_print=3)
    reached = {recipient.person.email: recipient for n, recipient in enumerate(people) if n not in BAD}
    assert sorted(mail.recipients for mail in mta.mails) == sorted((str(address),) for address in reached)
    recipients = Recipients(people)
    for mail in mta.mails:
        own = reached[mail.recipients[0]]
        recipients.assert_hidden_in(mail, but=own)
        assert [known.receipt for known in people if known.receipt in mail.all_text()] == [own.receipt]
        assert {name.lower() for name in mail.message} == {
            "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
            "content-transfer-encoding",
        }  # fmt: skip
        assert not re.search(rb"tok_|kuji|localhost|127\.0\.0\.1", mail.content, re.IGNORECASE)
        assert "tok_" not in mail.sender


async def test_a_winner_sees_only_the_own_values(harness: NotifierHarness, mta: MailServer) -> None:
    people = await harness.admit_people(12)
    async with harness.run_notifier():
        await harness.publish_results(people, "won", "lost")
        await harness.wait_for_states(sent=12)
    by_address, recipients = {recipient.person.email: recipient for recipient in people}, Recipients(people)
    assert sorted(address for mail in mta.mails for address in mail.recipients) == sorted(map(str, by_address))
    for mail in mta.mails:
        (address,) = mail.recipients
        assert by_address[address].person.name in mail.all_text()
        recipients.assert_hidden_in(mail, but=by_address[address])
        assert not re.search(rb"tok_|kuji|localhost|127\.0\.0\.1", mail.content, re.IGNORECASE)


async def test_the_search_finds_a_leak(harness: NotifierHarness) -> None:
    """Plant a mail that the relay would refuse behind the relay."""
    one, other = await harness.admit_people(2)
    planted = build_mail(harness.campaign.office.mail_to, f"To: {other.person.name} <{other.person.email}>\n")
    with pytest.raises(AssertionError):
        Recipients([one, other]).assert_hidden_in(ReceivedMail("", (str(one.person.email),), planted), but=one)


async def test_the_relay_refuses_a_mail_that_shows_one_recipient_to_another(
    harness: NotifierHarness, mta: MailServer
) -> None:
    """Try `Cc` and `Bcc` headers, names, addresses and tokens, as a client that is not the notifier could."""
    one, other = await harness.admit_people(2)
    office = harness.campaign.office.mail_to
    plain = build_mail(office)
    attempts = [
        b"Cc: " + token_address(other.token).encode() + b"\r\n" + plain,
        b"Bcc: " + str(other.person.email).encode() + b"\r\n" + plain,
        build_mail(office, f"{other.person.name} 様"),
        build_mail(office, f"see {other.person.email}"),
        build_mail(office, other.token),
        build_mail(token_address(one.token)),
        build_mail(f"{office}, {token_address(other.token)}"),
    ]
    async with harness.relay.client() as client:
        for content in attempts:
            assert [
                code
                for code, _ in await name_recipients(client, [token_address(one.token), token_address(other.token)])
            ] == [250, 250]
            assert (await send_text(client, content))[0] == 554
    assert mta.mails == []


async def test_each_recipient_of_a_batch_has_an_answer_of_its_own(harness: NotifierHarness) -> None:
    boxes = {1: "reject-5xx.x@m.example", 2: "defer-4xx.y@m.example", 3: "full-552.z@m.example"}
    people = await harness.admit_people(5, dict(boxes))
    async with harness.relay.client() as client:
        answers = await name_recipients(client, [token_address(recipient.token) for recipient in people])
        assert (await name_recipient(client, token_address("tok_" + "0" * 26)))[0] == 550
    assert [code for code, _ in answers] == [250, 550, 451, 552, 250]


async def test_hundreds_of_mails_by_several_sessions_show_no_recipient_to_another(
    harness: NotifierHarness, mta: MailServer
) -> None:
    losers, winners = await harness.admit_people(130), await harness.admit_people(30, first=300)
    async with harness.run_notifier(connections=6):
        await harness.publish_results(losers, "lost")
        await harness.publish_results(winners, "waiting", "lost")
        await harness.wait_for_states(sent=160)
    everyone = [*losers, *winners]
    by_address, recipients = {recipient.person.email: recipient for recipient in everyone}, Recipients(everyone)
    assert sorted(mail.recipients for mail in mta.mails) == sorted((str(address),) for address in by_address)
    for mail in mta.mails:
        own = by_address[mail.recipients[0]]
        recipients.assert_hidden_in(mail, but=own)
        assert [known.receipt for known in everyone if known.receipt in mail.all_text()] == [own.receipt]
