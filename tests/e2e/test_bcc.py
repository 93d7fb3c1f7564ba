"""BCC (R-S4), from the message to the bytes in the mailbox: nobody sees another, and everybody's own answer counts.

The notifier sends real mail through the vault's real relay to a real mail server; what arrived is read as bytes, with
every header and every part decoded, and searched for every other person's name, address and token.
"""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from services.vault.mail.relay.naming import names_one_of
from tests.support.leak_search import seek
from tests.support.mail_relay_harness import asked, at, letter, named, relaying, verdict
from tests.support.mail_server import Arrived, MailServer
from tests.support.notifier_harness import House
from tests.support.vault_parts import Known, parts

BAD = {3: "reject-5xx.bad3@m.example", 17: "reject-5xx.bad17@m.example", 44: "reject-5xx.bad44@m.example"}


@pytest.fixture
async def mta() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@pytest.fixture
async def house(amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path, mta: MailServer) -> AsyncIterator[House]:
    async with (
        parts(mongo_url, namespace, tmp_path, []) as vault,
        relaying(vault, mta.port) as door,
        House(amqp_url, mongo_url, namespace, vault, door, mta) as built,
    ):
        yield built


def secrets_of(known: Known) -> dict[str, str]:
    """What must not be seen of somebody; phone and address never leave the vault at all."""
    who = known.person
    shown = {"name": who.name, "address": who.address, "phone": who.phone, "token": known.token}
    return {**shown, "mail": who.email or known.token, "application": known.application_id}


class Crowd:
    """People who must not be seen in each other's mail: as bytes in any form of a canary, and as a reader sees it."""

    def __init__(self, people: Sequence[Known]) -> None:
        self._people = people
        self._sought = seek(
            {f"{each.token} {name}": value for each in people for name, value in secrets_of(each).items()}
        )

    def assert_hidden_in(self, mail: Arrived, *, but: Known | None = None) -> None:
        own = but.token if but else "nobody"
        assert [each for each in self._sought.find("mail", mail.content) if not each.canary.startswith(own)] == []
        others = [each for each in self._people if each is not but]
        assert not names_one_of((value for each in others for value in secrets_of(each).values()), mail.everything())


async def test_a_batch_of_fifty_with_three_bad_delivers_47_and_shows_nobody_to_anybody(
    house: House, mta: MailServer
) -> None:
    people = await house.people(50, dict(BAD))
    async with house.notifier(gather_s=1.0):
        await house.announce(people, "lost", "lost")
        await house.settled(mailed=47, post=3)
    (mail,) = mta.mails
    assert set(mail.recipients) == {each.person.email for n, each in enumerate(people) if n not in BAD}
    Crowd(people).assert_hidden_in(mail)
    assert mail.message["To"] == house.campaign.office.mail_to
    assert {name.lower() for name in mail.message} == {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
        "content-transfer-encoding",
    }  # fmt: skip
    assert not re.search(rb"tok_|kuji|localhost|127\.0\.0\.1", mail.content, re.IGNORECASE)
    assert "tok_" not in mail.sender
    for event_class in house.campaign.classes:
        assert event_class.title.ja not in mail.everything()
        assert event_class.title.en not in mail.everything()


async def test_those_who_won_see_themselves_and_nobody_else(house: House, mta: MailServer) -> None:
    people = await house.people(12)
    async with house.notifier():
        await house.announce(people, "won", "lost")
        await house.settled(mailed=12)
    by_address, crowd = {each.person.email: each for each in people}, Crowd(people)
    assert sorted(address for mail in mta.mails for address in mail.recipients) == sorted(map(str, by_address))
    for mail in mta.mails:
        (address,) = mail.recipients
        assert by_address[address].person.name in mail.everything()
        crowd.assert_hidden_in(mail, but=by_address[address])
        assert not re.search(rb"tok_|kuji|localhost|127\.0\.0\.1", mail.content, re.IGNORECASE)


async def test_the_hunt_would_see_a_leak(house: House) -> None:
    """The relay refuses it; planted behind the relay, it is found."""
    one, other = await house.people(2)
    planted = letter(house.campaign.office.mail_to, f"To: {other.person.name} <{other.person.email}>\n")
    with pytest.raises(AssertionError):
        Crowd([one, other]).assert_hidden_in(Arrived("", (str(one.person.email),), planted), but=one)


async def test_whoever_wanted_to_show_one_to_another_is_refused_by_the_relay(house: House, mta: MailServer) -> None:
    """Whatever program sends through the relay: `Cc` and `Bcc` headers, names, addresses and tokens do not pass."""
    one, other = await house.people(2)
    office = house.campaign.office.mail_to
    plain = letter(office)
    attempts = [
        b"Cc: " + at(other.token).encode() + b"\r\n" + plain,
        b"Bcc: " + str(other.person.email).encode() + b"\r\n" + plain,
        letter(office, f"{other.person.name} 様"),
        letter(office, f"see {other.person.email}"),
        letter(office, other.token),
        letter(at(one.token)),
        letter(f"{office}, {at(other.token)}"),
    ]
    async with house.door.client() as client:
        for content in attempts:
            assert [code for code, _ in await named(client, [at(one.token), at(other.token)])] == [250, 250]
            assert (await verdict(client, content))[0] == 554
    assert mta.mails == []


async def test_every_recipient_of_a_batch_is_answered_on_their_own(house: House) -> None:
    boxes = {1: "reject-5xx.x@m.example", 2: "defer-4xx.y@m.example", 3: "full-552.z@m.example"}
    people = await house.people(5, dict(boxes))
    async with house.door.client() as client:
        answers = await named(client, [at(each.token) for each in people])
        assert (await asked(client, at("tok_" + "0" * 26)))[0] == 550
    assert [code for code, _ in answers] == [250, 550, 451, 552, 250]


async def test_hundreds_at_once_by_several_sessions_and_still_nobody_sees_another(
    house: House, mta: MailServer
) -> None:
    losers, winners = await house.people(130), await house.people(30, first=300)
    async with house.notifier(connections=6):
        await house.announce(losers, "lost")
        await house.announce(winners, "waiting", "lost")
        await house.settled(mailed=160)
    everybody = [*losers, *winners]
    got = sorted(address for mail in mta.mails for address in mail.recipients)
    assert got == sorted(str(each.person.email) for each in everybody)
    by_address, crowd = {each.person.email: each for each in winners}, Crowd(everybody)
    for mail in mta.mails:
        crowd.assert_hidden_in(mail, but=by_address.get(mail.recipients[0]))
