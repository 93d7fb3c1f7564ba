"""Counts of notices, published when they change: results and rejections by the clock, other kinds by state only."""

from services.notifier import handlers
from services.notifier.overview import Overview
from services.notifier.publish_counts import CountsPublisher
from shared.clock import FixedClock
from shared.contracts import NoticesCounted
from shared.storage import OUTBOX
from tests.support.notifier_harness import NotifierHarness, by_mail, by_post


async def published(harness: NotifierHarness) -> list[NoticesCounted]:
    """Return the counts in the outbox, in order."""
    rows = harness.store.db[OUTBOX].find({"name": NoticesCounted.name}).sort("_id", 1)
    return [NoticesCounted.model_validate_json(row["body"]) async for row in rows]


async def test_counts_are_published_once_for_each_change_and_leave_acknowledgements_out_of_the_told(
    prepared: NotifierHarness,
) -> None:
    clock = FixedClock(prepared.campaign.notify_by)
    publisher = CountsPublisher(prepared.store, Overview(prepared.store.db, clock), every_s=0, rest=0)
    await publisher.publish_changes(prepared.campaign)
    assert await published(prepared) == []
    applicants = [*by_mail(3), *by_post(1)]
    await prepared.store.transact(lambda uow: handlers.on_contacts(prepared.contacts(applicants), uow))
    await publisher.publish_changes(prepared.campaign)
    await publisher.publish_changes(prepared.campaign)
    (acknowledged,) = await published(prepared)
    assert (acknowledged.told, acknowledged.to_tell) == (0, 0)
    assert [(row.kind, row.channel, row.state, row.count) for row in acknowledged.counts] == [
        ("acknowledgement", "mail", "pending", 3)
    ]
    results = prepared.results(applicants, "lost")
    await prepared.store.transact(lambda uow: handlers.on_results(results, uow))
    await prepared.store.db["notices"].update_one({"kind": "result", "way": "card"}, {"$set": {"state": "returned"}})
    await publisher.publish_changes(prepared.campaign)
    told = (await published(prepared))[-1]
    assert (told.told, told.to_tell, told.to_telephone) == (0, 4, 1)
    assert {(row.channel, row.state): row.count for row in told.counts if row.kind == "result"} == {
        ("mail", "pending"): 3,
        ("card", "returned"): 1,
    }
