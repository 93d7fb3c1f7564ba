"""Exactly one notice per application, and never a mail twice: rivals, crashes, slow sessions, messages out of order."""

import asyncio
from collections import Counter

import pytest

from services.notifier import handlers
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS
from services.notifier.mail.claims import Claims
from services.notifier.repository import ClaimLostError, NoticeRepository
from services.notifier.wall_clock import wall_now
from shared.ids import NoticeId, new_event_id
from tests.support.mail_server import MailServer
from tests.support.notifier_harness import House


@pytest.fixture
async def books(house: House) -> House:
    """The notifier's database as a start prepares it, with nobody at work."""
    await house.store.ensure(COLLECTIONS)
    await ApplicantRepository(house.store.db).ensure_locks([house.campaign.id])
    return house


async def heard(house: House, known: list, *outcomes: str) -> None:  # type: ignore[type-arg]
    await house.store.transact(lambda uow: handlers.on_contacts(house.contacts(known), uow))
    await house.store.transact(lambda uow: handlers.on_results(house.results(known, *outcomes), uow))


async def test_three_instances_side_by_side_send_every_notice_once(house: House, mta: MailServer) -> None:
    losers, winners = await house.people(150), await house.people(60, first=200)
    async with house.notifier(), house.notifier(), house.notifier():
        await house.announce(losers, "lost")
        await house.announce(winners, "won")
        await house.settled(mailed=210)
    got = Counter(address for mail in mta.mails for address in mail.recipients)
    assert got == {each.person.email: 1 for each in [*losers, *winners]}


async def test_messages_that_come_twice_and_in_any_order_make_one_notice(house: House, mta: MailServer) -> None:
    known = await house.people(20)
    contacts, results = house.contacts(known), house.results(known, "won")
    again = [new_event_id()]
    async with house.notifier():
        await house.say(*results, ids=again)
        await house.say(*results, *contacts)
        await house.say(*results, ids=again)
        await house.say(*contacts)
        await house.settled(mailed=20)
    assert len(mta.mails) == 20


async def test_a_contact_and_a_result_that_come_at_the_same_moment_meet(books: House) -> None:
    known = await books.people(30)
    for each in known:
        await asyncio.gather(
            books.store.transact(lambda uow, one=each: handlers.on_contacts(books.contacts([one]), uow)),
            books.store.transact(lambda uow, one=each: handlers.on_results(books.results([one], "won"), uow)),
        )
    assert set(await books.notices()) == {each.application_id for each in known}


async def test_a_notice_id_cannot_be_worked_out_from_the_public_application_id(books: House) -> None:
    known = await books.people(2)
    await heard(books, known, "won")
    one = {name: notice["_id"] for name, notice in (await books.notices()).items()}
    await books.store.db["notices"].delete_many({})
    await heard(books, known, "won")
    other = {name: notice["_id"] for name, notice in (await books.notices()).items()}
    assert set(one.values()).isdisjoint(other.values())


async def test_a_session_that_died_before_the_text_went_out_is_followed_by_another(
    house: House, mta: MailServer
) -> None:
    async with house.notifier(connections=1, poll_s=30):
        pass
    known = await house.people(3)
    await heard(house, known, "won")
    claims = Claims(house.store, lease_s=0.2, gather_s=0)
    assert await claims.claim_single() is not None
    async with house.notifier():
        await house.settled(mailed=3)
    assert len(mta.mails) == 3


async def test_a_session_that_died_while_the_text_went_out_leaves_an_unknown_and_no_second_mail(
    house: House, mta: MailServer
) -> None:
    async with house.notifier(connections=1, poll_s=30):
        pass
    known = await house.people(2)
    await heard(house, known, "won")
    claims = Claims(house.store, lease_s=0.2, gather_s=0)
    claim = await claims.claim_single()
    assert claim is not None
    await claims.begin_sending_text(claim, [NoticeId(claim.envelope_id)])
    async with house.notifier():
        await house.settled(mailed=1, unknown=1)
        await asyncio.sleep(0.5)
        assert (await house.states()) == {"mailed": 1, "unknown": 1}
    assert len(mta.mails) == 1


async def test_a_slow_session_that_lost_its_claim_may_not_send(books: House) -> None:
    known = await books.people(2)
    await heard(books, known, "lost")
    claims = Claims(books.store, lease_s=0.05, gather_s=0)
    slow = await claims.claim_batch(books.campaign.id, 50)
    assert slow is not None
    await asyncio.sleep(0.1)
    await claims.take_over_expired()
    fast = await claims.claim_batch(books.campaign.id, 1)
    assert fast is not None
    with pytest.raises(ClaimLostError):
        await claims.begin_sending_text(slow, [notice.id for notice in slow.notices])
    await NoticeRepository(books.store.db).split_batch(slow.mark, [notice.id for notice in slow.notices], wall_now())
    assert await books.states() == {"sending": 1, "pending": 1}
    await claims.begin_sending_text(fast, [notice.id for notice in fast.notices])
    assert await books.states() == {"committing": 1, "pending": 1}


async def test_rival_claims_share_no_notice(books: House) -> None:
    known = await books.people(60)
    await heard(books, known, "lost")
    claims = [Claims(books.store, lease_s=60, gather_s=0) for _ in range(6)]
    taken = await asyncio.gather(*(each.claim_batch(books.campaign.id, 20) for each in claims))
    ids = Counter(notice.id for claim in taken if claim for notice in claim.notices)
    assert len(ids) == 60
    assert set(ids.values()) == {1}


async def test_a_late_verdict_answers_what_was_unknown(books: House) -> None:
    known = await books.people(1)
    await heard(books, known, "won")
    claims = Claims(books.store, lease_s=0.01, gather_s=0)
    claim = await claims.claim_single()
    assert claim is not None
    await claims.begin_sending_text(claim, [NoticeId(claim.envelope_id)])
    await asyncio.sleep(0.05)
    await claims.take_over_expired()
    assert await books.states() == {"unknown": 1}
    await NoticeRepository(books.store.db).record_mailed(claim.mark, [NoticeId(claim.envelope_id)], 250, wall_now())
    assert await books.states() == {"mailed": 1}


async def test_a_stop_waits_for_the_answer_to_what_is_going_out(house: House, mta: MailServer) -> None:
    known = await house.people(2, {0: "slow.a@m.example", 1: "slow.b@m.example"})
    async with house.notifier():
        await house.announce(known, "won")
        await house.settled(committing=2)
    assert await house.states() == {"mailed": 2}
    assert len(mta.mails) == 2
