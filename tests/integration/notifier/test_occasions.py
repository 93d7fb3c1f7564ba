"""A notice for each occasion: a refusal, each draw, each step after it; and never one twice."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notifier import handlers
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS
from shared.contracts import PlaceOffer, PlacesOffered, PrintRequested, ResultsPublished
from shared.ids import ClassId, DrawId
from tests.support.mail_server import MailServer
from tests.support.notifier_harness import CLASSES, PASS, SHOWN, House
from tests.support.vault_parts import Known


def offered(house: House, known: list[Known], number: int, draw: str = "d-1", **changed: Any) -> PlacesOffered:
    facts: dict[str, Any] = {
        "occasion": f"{draw}-{number}",
        "class_id": ClassId(CLASSES[0]),
        "seats": 1,
        "state": "offered",
        "answer_by": datetime(2018, 6, 5, 9, tzinfo=UTC),
        "pass_code": PASS,
        "class_pass": SHOWN,
        **changed,
    }
    items = tuple(PlaceOffer(application_id=each.application_id, **facts) for each in known)
    return PlacesOffered(campaign=house.campaign.id, draw=DrawId(draw), items=items)


def drawn_again(house: House, known: list[Known], draw: str, *outcomes: str) -> list[ResultsPublished]:
    return [each.model_copy(update={"draw": DrawId(draw)}) for each in house.results(known, *outcomes)]


@pytest.fixture
async def books(house: House) -> House:
    """The notifier's database as an earlier version left it and a start prepares it, with nobody at work."""
    await house.store.db["notices"].create_index("application_id", unique=True)
    await house.store.ensure(COLLECTIONS)
    await ApplicantRepository(house.store.db).ensure_locks([house.campaign.id])
    return house


async def kinds(house: House) -> list[tuple[str, str, str]]:
    found = house.store.db["notices"].find().sort([("occasion", 1), ("state", 1)])
    return [(each["occasion"], each["kind"], each["state"]) async for each in found]


async def test_an_offer_is_mailed_with_its_pass_and_printed_for_those_without_mail(
    house: House, mta: MailServer
) -> None:
    by_mail, by_post = await house.people(2, {1: None})
    async with house.notifier(gather_s=0):
        await house.announce([by_mail, by_post], "waiting")
        await house.settled(mailed=1, post=1)
        first = await house.told(PrintRequested)
        await house.say(offered(house, [by_mail], 1), offered(house, [by_mail], 1), offered(house, [by_post], 2))
        await house.settled(mailed=2, post=2)
        card = (await house.told(PrintRequested)).items[0]
    assert first.items[0].notice_id != card.notice_id
    assert (card.token, card.pass_code, [each.code for each in card.passes]) == (by_post.token, PASS, [SHOWN])
    assert "2018年6月5日（火）18:00" in card.body
    (mail,) = [each for each in mta.mails if b"pass-1.png" in each.content]
    assert mail.recipients == (by_mail.person.email,)


async def test_an_offer_that_comes_before_its_contact_is_told_when_it_comes(books: House) -> None:
    known = await books.people(1)
    event = offered(books, known, 4, corrected=True, state="held", answer_by=None)
    await books.store.transact(lambda uow: handlers.on_places([event], uow))
    assert await kinds(books) == []
    contacts = books.contacts(known, status="rejected", reasons=["grade"])
    await books.store.transact(lambda uow: handlers.on_contacts(contacts, uow))
    assert [(each[0], each[1]) for each in await kinds(books)] == [("d-1-4", "offer"), ("rejected", "rejected")]


async def test_a_corrected_draw_is_told_again_and_takes_the_place_of_what_has_not_gone_out(books: House) -> None:
    told, waits = await books.people(2)
    both = [told, waits]
    await books.store.transact(lambda uow: handlers.on_contacts(books.contacts(both), uow))
    await books.store.transact(lambda uow: handlers.on_results(drawn_again(books, both, "d-1", "won"), uow))
    sent = {"application_id": told.application_id}
    await books.store.db["notices"].update_one(sent, {"$set": {"state": "mailed"}})
    for late in range(2):
        await books.store.transact(lambda uow: handlers.on_results(drawn_again(books, both, "d-2", "lost"), uow))
        if late == 0:
            await books.store.transact(lambda uow: handlers.on_results(drawn_again(books, both, "d-1", "won"), uow))
            await books.store.transact(lambda uow: handlers.on_places([offered(books, both, 3)], uow))
    assert await kinds(books) == [
        ("d-1", "result", "mailed"),
        ("d-1", "result", "replaced"),
        ("d-2", "regret", "pending"),
        ("d-2", "regret", "pending"),
    ]
    results = await books.store.db["results"].find().to_list(None)
    assert {each["draw"] for each in results} == {"d-2"}
