"""Tell a person after the draw that another application stands: only at an address that the standing one gave, too."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.vault.deliveries.reconcile import NoticeCounter
from shared.contracts import Contact, NoticeChannel
from tests.support.left_out_harness import FIRST, STRANGER, LeftOutHarness
from tests.support.mail_room_harness import MailDesk, mail_desk
from tests.support.mail_server import MailServer
from tests.support.vault_parts import Known

OTHER_SPELLING = FIRST.address.replace("1丁目4-1", "1-4-1")


@pytest.fixture
async def desk(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[MailDesk]:
    async with MailServer() as server, mail_desk(mongo_url, namespace, tmp_path, server.port) as one:
        await one.release("same-person", "card")
        yield one


async def give_way(desk: MailDesk, one: Known, other: Known, state: str = "rejected") -> None:
    """Write that an application gave way to another one, by a handler's decision or as an exact copy."""
    await LeftOutHarness(desk, "same-person").behind(one, other, state)


async def publish(desk: MailDesk, number: int = 1) -> None:
    await LeftOutHarness(desk, "same-person").publish(number)


async def contacts(desk: MailDesk) -> list[Contact]:
    return await LeftOutHarness(desk, "same-person").contacts()


async def is_taken(desk: MailDesk, known: Known, channel: NoticeChannel) -> bool:
    """Order the notice; return True if the vault takes the order."""
    return await LeftOutHarness(desk, "same-person").order(known, channel) == "queued"


@pytest.mark.parametrize(
    ("changes", "contact", "taken"),
    [
        ({"email": FIRST.email}, "mail", {"mail"}),
        ({"postal_code": FIRST.postal_code, "address": FIRST.address}, "post", {"card"}),
        (
            {
                "email": None,
                "postal_code": FIRST.postal_code,
                "address": FIRST.address.replace("1丁目4-1", "1-4-1"),
            },
            "post",
            {"card"},
        ),
        ({}, None, set()),
    ],
)
async def test_only_an_address_that_the_application_in_the_draw_gave_too_is_told(
    desk: MailDesk, changes: dict[str, str | None], contact: str | None, taken: set[str]
) -> None:
    first, second = await desk.vault.admit([FIRST, replace(STRANGER, **changes)])
    await give_way(desk, second, first)
    await publish(desk)
    published = await contacts(desk)
    assert [(one.token, one.status, one.contact, one.revision) for one in published] == (
        [(second.token, "same-person", contact, 2)] if contact else []
    )
    channels: tuple[NoticeChannel, ...] = ("mail", "card")
    ways = {channel for channel in channels if channel == "card" or second.person.email}
    assert {channel for channel in sorted(ways) if await is_taken(desk, second, channel)} == taken


async def test_nothing_is_told_before_the_draw_and_nothing_to_those_in_it(desk: MailDesk) -> None:
    first, second = await desk.vault.admit([FIRST, replace(STRANGER, email=FIRST.email)])
    await give_way(desk, second, first)
    assert not await is_taken(desk, second, "mail")
    await publish(desk)
    assert not await is_taken(desk, first, "mail")
    assert await is_taken(desk, second, "mail")


async def test_a_copy_of_an_application_that_gave_way_is_compared_with_the_one_that_stands(desk: MailDesk) -> None:
    first, second, copy = await desk.vault.admit([FIRST, STRANGER, STRANGER])
    await give_way(desk, second, first)
    await give_way(desk, copy, second, "superseded")
    await publish(desk)
    assert await contacts(desk) == []
    assert not await is_taken(desk, copy, "mail")


async def test_an_exact_copy_is_told_once_however_many_draws_are_published(desk: MailDesk) -> None:
    first, copy = await desk.vault.admit([FIRST, FIRST])
    await give_way(desk, copy, first, "superseded")
    await publish(desk)
    await publish(desk, 2)
    assert [one.token for one in await contacts(desk)] == [copy.token]
    counted = await NoticeCounter(desk.vault.store).count(desk.vault.campaign.id)
    assert (counted.same_person, counted.same_person_delivered) == (1, 0)


async def test_an_address_changed_afterwards_is_not_told_any_more(desk: MailDesk) -> None:
    first, second = await desk.vault.admit([FIRST, replace(STRANGER, email=FIRST.email)])
    await give_way(desk, second, first)
    await publish(desk)
    assert await is_taken(desk, second, "mail")
    await desk.vault.store.db["identities"].update_one({"_id": second.token}, {"$set": {"mailbox": "other"}})
    async with desk.running():
        (answer,) = await desk.wait_for_answers(1)
    assert answer.answer == "superseded"


async def test_the_mail_names_the_own_receipt_number_and_nothing_of_the_other_application(
    mongo_url: str, namespace: str, tmp_path: Path
) -> None:
    async with MailServer() as server, mail_desk(mongo_url, namespace, tmp_path, server.port) as desk:
        first, second = await desk.vault.admit([FIRST, replace(STRANGER, email=FIRST.email)])
        await give_way(desk, second, first)
        await publish(desk)
        assert await is_taken(desk, second, "mail")
        async with desk.running():
            (answer,) = await desk.wait_for_answers(1)
        (mail,) = server.mails
    assert answer.answer == "sent"
    text = mail.all_text()
    assert second.receipt in text
    assert first.receipt not in text
