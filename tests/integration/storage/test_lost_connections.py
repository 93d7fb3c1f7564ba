"""A connection that ends in the middle of the work, as at a change of primary: the work is done again, not refused."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from shared.storage import PyMongoError, Store, StoreUnavailableError, UnitOfWork
from shared.storage import store as storage
from tests.integration.messaging.test_outages import directly, through
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until


@pytest.fixture
def proxy(mongo_url: str) -> TcpProxy:
    address = urlsplit(mongo_url)
    return TcpProxy(str(address.hostname), int(address.port or 27017))


@pytest.fixture
async def store(mongo_url: str, namespace: str, proxy: TcpProxy) -> AsyncIterator[Store]:
    with proxy:
        async with Store.open(directly(through(mongo_url, proxy)), f"{namespace}_lost", timeout_s=60) as store:
            await store.db["marks"].insert_one({"_id": 0, "count": 0})
            yield store
            await store.db.client.drop_database(store.db.name)


async def await_operation(store: Store, kind: str) -> None:
    """Wait until the server works on an operation of this kind in the test's collection."""

    async def is_there() -> bool:
        asked = {"currentOp": 1, "ns": f"{store.db.name}.marks", "op": kind}
        return bool((await store.db.client.admin.command(asked))["inprog"])

    await until(is_there)


async def test_a_transaction_whose_connection_ended_runs_again(store: Store, proxy: TcpProxy, mongo_url: str) -> None:
    runs = 0

    async def work(uow: UnitOfWork) -> int:
        nonlocal runs
        runs += 1
        await uow.db["marks"].update_one({"_id": 0}, {"$inc": {"count": 1}}, session=uow.session)
        if runs == 1:
            await uow.db["marks"].find_one({"$where": "sleep(30000) || true"}, session=uow.session)
        await uow.db["marks"].insert_one({"_id": runs}, session=uow.session)
        return runs

    async with Store.open(mongo_url, store.db.name) as watching:
        running = asyncio.create_task(store.transact(work))
        await await_operation(watching, "query")
        proxy.reset()
        assert await running == 2
    assert await store.db["marks"].find().sort("_id", 1).to_list(None) == [{"_id": 0, "count": 1}, {"_id": 2}]


async def test_a_write_of_many_whose_answer_was_lost_is_sent_again(
    store: Store, proxy: TcpProxy, mongo_url: str
) -> None:
    """Cut the connection while the first one waits for a rival. The driver itself repeats single writes only."""
    sent = 0

    async def write() -> int:
        nonlocal sent
        sent += 1
        return int((await store.db["marks"].update_many({"_id": 0}, {"$set": {"many": 7}})).matched_count)

    async with Store.open(mongo_url, store.db.name) as rival, await rival.db.client.start_session() as session:
        session.start_transaction()
        await rival.db["marks"].update_one({"_id": 0}, {"$inc": {"count": 1}}, session=session)
        writing = asyncio.create_task(store.insist(write))
        await await_operation(rival, "update")
        proxy.reset()
        await until(lambda: sent == 2)
        await session.abort_transaction()
        assert await writing == 1


async def test_an_error_of_an_answering_server_is_not_asked_for_again(store: Store) -> None:
    sent = 0

    async def write() -> None:
        nonlocal sent
        sent += 1
        await store.db["marks"].update_many({}, {"$nonsense": 1})

    with pytest.raises(PyMongoError, match="nonsense"):
        await store.insist(write)
    assert sent == 1


async def test_a_transaction_that_a_rival_holds_up_says_so_in_the_log_and_asks_for_a_later_try(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Log the server's number of the error, which tells an engineer what holds it up: 112 is a conflict of writes."""
    monkeypatch.setattr(storage, "_LONG_S", 0.2)
    held, told = asyncio.Event(), asyncio.Event()

    async def count(uow: UnitOfWork) -> None:
        await uow.db["marks"].update_one({"_id": 0}, {"$inc": {"count": 1}}, session=uow.session)

    async def hold(uow: UnitOfWork) -> None:
        await count(uow)
        held.set()
        await told.wait()

    rival = asyncio.create_task(store.transact(hold))
    await held.wait()
    waiting = asyncio.create_task(store.transact(count))
    said: list[str] = []

    def is_told() -> bool:
        said.extend(line for line in capsys.readouterr().out.splitlines() if "transaction-repeats" in line)
        return bool(said)

    await until(is_told)
    with pytest.raises(StoreUnavailableError, match="busy"):
        await store.transact(count, retry_s=0.1)
    told.set()
    await asyncio.gather(rival, waiting)
    assert "OperationFailure:112" in said[0] or "WriteConflict" in said[0]
    assert await store.db["marks"].find_one() == {"_id": 0, "count": 2}
