"""A lease for which instances wait: one at a time is in, a dead one is followed, and a late one may not write."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.storage import Store
from shared.storage.exclusive_lease import ExclusiveLease, LeaseError
from shared.storage.leases import LEASES, Leases
from tests.support.waiting import await_all, until


@pytest.fixture
async def store(mongo_url: str, namespace: str) -> AsyncIterator[Store]:
    store = Store.open(mongo_url, f"{namespace}_exclusive", timeout_s=15.0)
    yield store
    await store.db.client.drop_database(f"{namespace}_exclusive")
    await store.close()


async def test_of_several_instances_and_their_tasks_one_is_in_at_a_time(store: Store) -> None:
    inside, most, count = 0, 0, 0

    async def enter(lease: ExclusiveLease) -> None:
        nonlocal inside, most, count
        for _ in range(3):
            async with lease.held():
                inside, count = inside + 1, count + 1
                most = max(most, inside)
                lease.check()
                await asyncio.sleep(0)
                inside -= 1

    instances = [ExclusiveLease(store.db, "folder", wait_s=60) for _ in range(3)]
    await await_all(*(enter(lease) for lease in [*instances, *instances]))
    assert (most, count) == (1, 18)
    assert await store.db[LEASES].count_documents({}) == 0


async def test_a_dead_instance_is_followed_when_its_lease_is_over(store: Store) -> None:
    assert await Leases(store.db).hold("folder", "dead", 1.0)
    lease = ExclusiveLease(store.db, "folder", wait_s=60)
    async with lease.held():
        assert await Leases(store.db).hold("folder", "a third", 1.0) is False


async def test_an_instance_that_waited_in_vain_says_so(store: Store) -> None:
    assert await Leases(store.db).hold("folder", "busy", 600.0)
    with pytest.raises(LeaseError, match="another instance holds the lease folder"):
        async with ExclusiveLease(store.db, "folder", wait_s=0.1).held():
            raise AssertionError("it is taken")
    assert await store.db[LEASES].count_documents({"holder": "busy"}) == 1


async def test_a_long_hold_is_prolonged(store: Store) -> None:
    lease = ExclusiveLease(store.db, "folder", for_s=1.5)
    async with lease.held():
        first = (await store.db[LEASES].find_one({}))["until"]  # type: ignore[index]

        async def is_prolonged() -> bool:
            return bool((await store.db[LEASES].find_one({}))["until"] > first)  # type: ignore[index]

        await until(is_prolonged)
        lease.check()


async def test_an_instance_that_lost_its_lease_may_not_write_although_it_is_free_again(store: Store) -> None:
    lease = ExclusiveLease(store.db, "folder", for_s=1.0)
    async with lease.held():
        await store.db[LEASES].delete_one({"_id": "folder"})  # as after another one took it and gave it up

        async def is_over() -> bool:
            try:
                lease.check()
            except LeaseError:
                return True
            return False

        await until(is_over)
        assert await store.db[LEASES].count_documents({}) == 0
    with pytest.raises(LeaseError):
        lease.check()
