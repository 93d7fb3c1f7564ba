"""Announcements in BCC: one transaction of at most fifty recipients, none of whom appears in the mail (R-S4)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.vault.mail.batches import SentBatches
from tests.support.mail_room_harness import MailDesk, mail_desk, person
from tests.support.mail_server import MailServer
from tests.support.vault_parts import Known


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as one:
        yield one


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path, server: MailServer) -> AsyncIterator[MailDesk]:
    async with mail_desk(mongo_url, namespace, tmp_path, server.port) as one:
        yield one


def find_traces(known: list[Known], text: str) -> list[str]:
    """Return the names, mailboxes and tokens of these people that the text holds."""
    secrets = [value for one in known for value in (one.person.name, one.person.email, one.token, one.receipt)]
    return [secret for secret in secrets if secret and secret in text]


async def test_fifty_people_get_one_mail_that_names_none_of_them(desk: MailDesk, server: MailServer) -> None:
    known = await desk.vault.admit([person(number) for number in range(50)])
    document = desk.announcement(known)
    await desk.order(document)
    async with desk.running():
        (answer,) = await desk.wait_for_answers(1)
    (mail,) = server.mails
    assert (answer.notice, answer.answer, answer.code, answer.refused) == (document.notice, "sent", 250, ())
    assert sorted(mail.recipients) == sorted(one.person.email or "" for one in known)
    assert mail.message["To"] == desk.vault.campaign.office.mail_to
    assert mail.message.get_content_type() == "text/plain"
    assert find_traces(known, mail.all_text()) == []


async def test_the_search_for_traces_finds_a_name(desk: MailDesk) -> None:
    known = await desk.vault.admit([person(1)])
    assert find_traces(known, f"{known[0].person.name} 様") == [known[0].person.name]


async def test_recipients_that_the_mail_server_refuses_are_reported_by_token(
    desk: MailDesk, server: MailServer
) -> None:
    mailboxes = ["reject-5xx@mail.example", "defer-4xx@mail.example", "fine@mail.example"]
    known = await desk.vault.admit([person(number, mailbox) for number, mailbox in enumerate(mailboxes)])
    await desk.order(desk.announcement(known))
    async with desk.running():
        (answer,) = await desk.wait_for_answers(1)
    assert answer.answer == "sent"
    assert {(refusal.token, refusal.code) for refusal in answer.refused} == {
        (known[0].token, 550),
        (known[1].token, 451),
    }
    assert [mail.recipients for mail in server.mails] == [("fine@mail.example",)]


@pytest.mark.parametrize(
    ("mailboxes", "answer"),
    [
        (["reject-5xx@a.example", "full-552@b.example"], "refused"),
        (["reject-5xx@a.example", "defer-4xx@b.example"], "later"),
    ],
)
async def test_an_announcement_without_an_accepted_recipient_is_refused(
    desk: MailDesk, server: MailServer, mailboxes: list[str], answer: str
) -> None:
    known = await desk.vault.admit([person(number, mailbox) for number, mailbox in enumerate(mailboxes)])
    await desk.order(desk.announcement(known))
    async with desk.running():
        (answered,) = await desk.wait_for_answers(1)
    assert (answered.answer, len(answered.refused)) == (answer, len(known))
    assert server.mails == []


async def test_a_recipient_gets_an_announcement_twice_at_most(desk: MailDesk, server: MailServer) -> None:
    known = await desk.vault.admit([person(number) for number in range(3)])
    for attempt in (1, 2, 3):
        await desk.order(desk.announcement(known[:attempt], attempt=attempt))
    async with desk.running():
        answers = [answer.answer for answer in await desk.wait_for_answers(3)]
    assert sorted(answers) == ["invalid", "sent", "sent"]
    assert len(server.mails) == 2


async def test_an_audit_line_is_written_for_each_recipient(desk: MailDesk) -> None:
    known = await desk.vault.admit([person(number) for number in range(3)])
    document = desk.announcement(known)
    await desk.order(document)
    async with desk.running():
        await desk.wait_for_answers(1)
    lines = [line for line in (await desk.vault.audited()).splitlines() if f"reveal:{document.notice}" in line]
    assert len(lines) == len(known)


async def test_a_report_on_an_announcement_finds_its_recipients_and_no_others(desk: MailDesk) -> None:
    known = await desk.vault.admit([person(number) for number in range(3)])
    document, single = desk.announcement(known[:2]), desk.result(known[2])
    await desk.order(document, single)
    async with desk.running():
        await desk.wait_for_answers(2)
    batches = SentBatches(desk.vault.store, desk.vault.identities)
    assert await batches.recipients(document.notice) == {one.person.email: one.token for one in known[:2]}
    assert await batches.recipients(single.notice) == {}
