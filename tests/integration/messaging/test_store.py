"""The store on a real replica set: together or not at all, once however often it is run, and never waiting for ever."""

import asyncio
import time

import pytest

from shared.ids import new_application_id, new_event_id
from shared.storage import (
    OUTBOX,
    Collection,
    DuplicateKeyError,
    Index,
    OperationFailure,
    Store,
    StoreUnavailableError,
    UnitOfWork,
)
from tests.support.messaging_harness import MessagingHarness, decided
from tests.support.waiting import await_all

THINGS = Collection(
    "things",
    {"bsonType": "object", "additionalProperties": False, "properties": {"_id": {}, "n": {"bsonType": "int"}}},
    (Index("n", unique=True),),
)


@pytest.fixture
async def store(harness: MessagingHarness) -> Store:
    store = await harness.store("vault")
    await store.ensure([THINGS])
    return store


async def test_ensure_can_be_run_at_every_start_and_brings_rules_up_to_date(store: Store) -> None:
    await store.ensure([THINGS])
    with pytest.raises(OperationFailure):
        await store.db["things"].insert_one({"name": "unknown members are refused"})

    await store.ensure([Collection("things", {"$jsonSchema": {"bsonType": "object", "required": ["name"]}})])
    await store.db["things"].insert_one({"name": "now it is asked for"})
    with pytest.raises(OperationFailure):
        await store.db["things"].insert_one({"n": 1})


async def test_several_instances_may_ensure_at_once(harness: MessagingHarness) -> None:
    others = [Store.open(harness.mongo_url, harness.database("vault")) for _ in range(3)]
    await await_all(*(other.ensure([THINGS]) for other in others))
    for other in others:
        await other.close()


async def test_what_the_work_raises_takes_back_state_and_events(store: Store) -> None:
    async def work(uow: UnitOfWork) -> None:
        await uow.db["things"].insert_one({"n": 1}, session=uow.session)
        await uow.emit(decided(new_application_id()))
        raise LookupError

    with pytest.raises(LookupError):
        await store.transact(work)
    assert await store.db["things"].count_documents({}) == 0
    assert await store.outbox.backlog() == 0


async def test_a_unique_index_speaks_through_a_transaction(store: Store) -> None:
    async def work(uow: UnitOfWork) -> None:
        await uow.db["things"].insert_one({"n": 7}, session=uow.session)

    await store.transact(work)
    with pytest.raises(DuplicateKeyError):
        await store.transact(work)


async def test_rivals_for_one_document_all_get_through(store: Store) -> None:
    await store.db["things"].insert_one({"_id": "one", "n": 0})

    async def work(uow: UnitOfWork) -> int:
        before = await uow.db["things"].find_one({"_id": "one"}, session=uow.session)
        assert before is not None
        await uow.db["things"].update_one({"_id": "one"}, {"$set": {"n": before["n"] + 1}}, session=uow.session)
        return int(before["n"])

    seen = await await_all(*(store.transact(work) for _ in range(20)))

    assert sorted(seen) == list(range(20))
    after = await store.db["things"].find_one({"_id": "one"})
    assert after == {"_id": "one", "n": 20}


async def test_a_cancelled_transaction_leaves_nothing_and_holds_nothing(store: Store) -> None:
    await store.db["things"].insert_one({"_id": "one", "n": 0})
    inside = asyncio.Event()

    async def linger(uow: UnitOfWork) -> None:
        await uow.db["things"].update_one({"_id": "one"}, {"$set": {"n": 1}}, session=uow.session)
        inside.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(store.transact(linger))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    begun = time.monotonic()
    await store.db["things"].update_one({"_id": "one"}, {"$set": {"n": 2}})
    assert time.monotonic() - begun < 5


async def test_events_leave_in_the_order_in_which_they_were_said(store: Store) -> None:
    ids = [new_event_id() for _ in range(50)]

    async def work(uow: UnitOfWork) -> None:
        for event_id in ids:
            await uow.emit(decided(new_application_id()), event_id)

    await store.transact(work)
    claimed = await store.outbox.claim("relay", 100, lease_s=5)
    assert [entry.event_id for entry in claimed] == ids
    assert await store.outbox.claim("rival", 100, lease_s=5) == []


async def test_an_outbox_line_that_is_not_of_its_shape_cannot_be_written(store: Store) -> None:
    with pytest.raises(OperationFailure):
        await store.db[OUTBOX].insert_one({"event_id": "x"})


async def test_a_database_that_is_away_is_said_within_the_timeout() -> None:
    nowhere = Store.open("mongodb://127.0.0.1:1/?replicaSet=kuji", "x", timeout_s=0.5)

    async def work(uow: UnitOfWork) -> None:
        await uow.db["things"].insert_one({"n": 1}, session=uow.session)

    begun = time.monotonic()
    assert not await nowhere.ping()
    with pytest.raises(StoreUnavailableError, match="see that it runs"):
        await nowhere.transact(work)
    with pytest.raises(StoreUnavailableError):
        await nowhere.ensure([THINGS])
    assert time.monotonic() - begun < 15
    await nowhere.close()
