"""Each notice is mailed once: parallel instances, crashes, slow sessions, messages out of order."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial

import pytest
from services.notifier.mail.claims import Claims

from services.notifier import handlers
from services.notifier.repository import ClaimLostError, NoticeRepository
from services.notifier.wall_clock import wall_now
from shared.ids import new_event_id
from tests.support.mail_server import MailServer
from tests.support.notifier_harness import NotifierHarness
from tests.support.vault_parts import Known
from tests.support.waiting import await_all


@pytest.fixture
async def prepared(harness: NotifierHarness) -> NotifierHarness:
    """Return the harness with a prepared database and no running instance."""
    await harness.prepare_database()
    return harness


async def consume(harness: NotifierHarness, applicants: Sequence[Known], *outcomes: str) -> None:
    """Handle contacts and results as if they had been consumed."""
    await harness.store.transact(lambda uow: handlers.on_contacts(harness.build_contacts(applicants), uow))
    await harness.store.transact(lambda uow: handlers.on_results(harness.build_results(applicants, *outcomes), uow))


async def test_three_instances_in_parallel_mail_each_notice_once(harness: NotifierHarness, mta: MailServer) -> None:
    losers, winners = await harness.admit_people(150), await harness.admit_people(60, first=200)
    async with harness.run_notifier(), harness.run_notifier(), harness.run_notifier():
        await harness.publish_results(losers, "lost")
        await harness.publish_results(winners, "won")
        await harness.wait_for_states(sent=210)
    received = Counter(address for mail in mta.mails for address in mail.recipients)
    assert received == {applicant.person.email: 1 for applicant in [*losers, *winners]}


async def test_messages_delivered_twice_and_out_of_order_create_one_notice(
    harness: NotifierHarness, mta: MailServer
) -> None:
    applicants = await harness.admit_people(20)
    contacts, results = harness.build_contacts(applicants), harness.build_results(applicants, "won")
    again = [new_event_id()]
    async with harness.run_notifier():
        await harness.publish(*results, ids=again)
        await harness.publish(*results, *contacts)
        await harness.publish(*results, ids=again)
        await harness.publish(*contacts)
        await harness.wait_for_states(sent=20)
    assert len(mta.mails) == 20


async def test_a_contact_and_a_result_handled_at_the_same_moment_create_the_notice(prepared: NotifierHarness) -> None:
    applicants = await prepared.admit_people(30)
    for applicant in applicants:
        contacts, results = prepared.build_contacts([applicant]), prepared.build_results([applicant], "won")
        await await_all(
            prepared.store.transact(partial(handlers.on_contacts, contacts)),
            prepared.store.transact(partial(handlers.on_results, results)),
        )
    assert set(await prepared.stored_notices()) == {applicant.application_id for applicant in applicants}


async def test_a_notice_id_does_not_follow_from_the_public_application_id(prepared: NotifierHarness) -> None:
    applicants = await prepared.admit_people(2)
    await consume(prepared, applicants, "won")
    first = {notice.id for notice in (await prepared.stored_notices()).values()}
    await prepared.store.db["notices"].delete_many({})
    await consume(prepared, applicants, "won")
    second = {notice.id for notice in (await prepared.stored_notices()).values()}
    assert first.isdisjoint(second)


async def test_notices_of_a_session_that_died_before_sending_the_text_are_mailed_by_another(
    harness: NotifierHarness, mta: MailServer
) -> None:
    async with harness.run_notifier(connections=1, poll_s=30):
        pass
    applicants = await harness.admit_people(3)
    await consume(harness, applicants, "won")
    claims = Claims(harness.store, lease_s=0.2)
    assert await claims.claim_next() is not None
    async with harness.run_notifier():
        await harness.wait_for_states(sent=3)
    assert len(mta.mails) == 3


async def test_a_notice_of_a_session_that_died_while_sending_the_text_becomes_unknown_and_is_not_mailed_again(
    harness: NotifierHarness, mta: MailServer
) -> None:
    async with harness.run_notifier(connections=1, poll_s=30):
        pass
    applicants = await harness.admit_people(2)
    await consume(harness, applicants, "won")
    claims = Claims(harness.store, lease_s=0.2)
    claim = await claims.claim_next()
    assert claim is not None
    await claims.begin_sending_text(claim)
    async with harness.run_notifier():
        await harness.wait_for_states(sent=1, unknown=1)
        await asyncio.sleep(0.5)
        assert (await harness.count_states()) == {"sent": 1, "unknown": 1}
    assert len(mta.mails) == 1


async def test_a_slow_session_that_lost_its_claim_cannot_send(prepared: NotifierHarness) -> None:
    await consume(prepared, await prepared.admit_people(1), "lost")
    claims = Claims(prepared.store, lease_s=0.05)
    slow = await claims.claim_next()
    assert slow is not None
    await asyncio.sleep(0.1)
    await claims.take_over_expired()
    fast = await claims.claim_next()
    assert fast is not None
    with pytest.raises(ClaimLostError):
        await claims.begin_sending_text(slow)
    await NoticeRepository(prepared.store.db).defer(slow.mark, slow.notice.id, 451, wall_now())
    assert await prepared.count_states() == {"sending": 1}
    await claims.begin_sending_text(fast)
    assert await prepared.count_states() == {"committing": 1}


async def test_claims_made_at_the_same_time_share_no_notice(prepared: NotifierHarness) -> None:
    await consume(prepared, await prepared.admit_people(60), "lost")
    claims = [Claims(prepared.store, lease_s=60) for _ in range(6)]
    claimed = await await_all(*(session.claim_next() for session in claims for _ in range(12)))
    ids = Counter(claim.notice.id for claim in claimed if claim)
    assert len(ids) == 60
    assert set(ids.values()) == {1}


async def test_a_late_answer_moves_an_unknown_notice_on(prepared: NotifierHarness) -> None:
    applicants = await prepared.admit_people(1)
    await consume(prepared, applicants, "won")
    claims = Claims(prepared.store, lease_s=0.01)
    claim = await claims.claim_next()
    assert claim is not None
    await claims.begin_sending_text(claim)
    await asyncio.sleep(0.05)
    await claims.take_over_expired()
    assert await prepared.count_states() == {"unknown": 1}
    await NoticeRepository(prepared.store.db).record_sent(claim.mark, claim.notice.id, 250, wall_now())
    assert await prepared.count_states() == {"sent": 1}


async def test_a_stopping_instance_waits_for_the_answer_to_a_text_it_sends(
    harness: NotifierHarness, mta: MailServer
) -> None:
    applicants = await harness.admit_people(2, {0: "slow.a@m.example", 1: "slow.b@m.example"})
    async with harness.run_notifier():
        await harness.publish_results(applicants, "won")
        await harness.wait_for_states(committing=2)
    assert await harness.count_states() == {"sent": 2}
    assert len(mta.mails) == 2
