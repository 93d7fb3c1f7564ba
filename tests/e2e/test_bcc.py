"""R-S4, from the order to the bytes in the mailbox: no mail shows one applicant to another.

The mail room sends real mails to a real mail server; what arrived is read as bytes, with every header and every part
decoded, and searched for every other person's name, address, telephone number and token.
"""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.support.leak_search import seek
from tests.support.mail_room_harness import MailDesk, mail_desk, person
from tests.support.mail_server import MailServer, ReceivedMail
from tests.support.vault_parts import Known

INTERNAL = re.compile(rb"tok_|kuji|localhost|127\.0\.0\.1", re.IGNORECASE)


@pytest.fixture
async def mta() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path, mta: MailServer) -> AsyncIterator[MailDesk]:
    async with mail_desk(mongo_url, namespace, tmp_path, mta.port) as one:
        yield one


def secrets_of(known: Known) -> dict[str, str]:
    """Return the values of a person that no other person may see; phone and address never leave the vault."""
    who = known.person
    values = {"name": who.name, "address": who.address, "phone": who.phone, "token": known.token}
    return {**values, "mail": who.email or known.token, "application": known.application_id, "receipt": known.receipt}


class Recipients:
    """People who must not appear in each other's mail, as bytes in any encoding or as readable text."""

    def __init__(self, people: Sequence[Known]) -> None:
        self._people = people
        self._sought = seek(
            {f"{known.token} {name}": value for known in people for name, value in secrets_of(known).items()}
        )

    def assert_hidden_in(self, mail: ReceivedMail, *, but: Known | None = None) -> None:
        """Assert that the mail shows no value of these people, `but` excepted."""
        own = but.token if but else "none"
        text = mail.all_text()
        leaks = [*self._sought.find("mail", mail.content), *self._sought.find("text", text.encode())]
        assert [leak for leak in leaks if not leak.canary.startswith(own)] == []


async def test_each_result_shows_its_own_applicant_and_no_other(desk: MailDesk, mta: MailServer) -> None:
    people = await desk.vault.admit([person(number) for number in range(60)])
    await desk.order(*(desk.result(known) for known in people))
    async with desk.running(sessions=6):
        await desk.wait_for_answers(len(people))
    by_address, recipients = {known.person.email: known for known in people}, Recipients(people)
    assert sorted(mail.recipients for mail in mta.mails) == sorted((str(address),) for address in by_address)
    for mail in mta.mails:
        own = by_address[mail.recipients[0]]
        recipients.assert_hidden_in(mail, but=own)
        assert own.person.name in mail.all_text()
        assert own.receipt in mail.all_text()
        assert not INTERNAL.search(mail.content)
        assert "tok_" not in mail.sender


async def test_an_announcement_shows_no_recipient_at_all(desk: MailDesk, mta: MailServer) -> None:
    people = await desk.vault.admit([person(number) for number in range(120)])
    await desk.order(*(desk.announcement(people[start : start + 50]) for start in range(0, len(people), 50)))
    async with desk.running():
        await desk.wait_for_answers(3)
    assert sorted(len(mail.recipients) for mail in mta.mails) == [20, 50, 50]
    recipients = Recipients(people)
    for mail in mta.mails:
        recipients.assert_hidden_in(mail)
        assert mail.message["To"] == desk.vault.campaign.office.mail_to
        assert not INTERNAL.search(mail.content)


async def test_the_search_finds_a_leak(desk: MailDesk) -> None:
    one, other = await desk.vault.admit([person(1), person(2)])
    planted = f"To: {one.person.email}\r\n\r\n{other.person.name} 様\r\n".encode()
    with pytest.raises(AssertionError):
        Recipients([one, other]).assert_hidden_in(ReceivedMail("", (str(one.person.email),), planted), but=one)
