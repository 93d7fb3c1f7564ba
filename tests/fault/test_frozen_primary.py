"""Members that are frozen or dead: calls go to the next primary in time, and a service starts with what is left."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.processes import Watchdog
from shared.settings import ServiceSettings
from shared.storage import Collection, Index, Store
from tests.cluster.databases import DatabaseCluster
from tests.support.waiting import await_all


@pytest.fixture
def members(tmp_path: Path, watchdog: Watchdog) -> Iterator[DatabaseCluster]:
    """Yield three members; a frozen one is killed at the end."""
    cluster = DatabaseCluster(tmp_path / "mongodb", watchdog)
    cluster.start({})
    yield cluster
    cluster.stop()


async def test_calls_under_way_at_a_frozen_primary_are_answered_by_the_next_one(members: DatabaseCluster) -> None:
    """Freeze it for good: without heartbeats of its own the driver waits for this member until its time is over."""
    timeout_s = ServiceSettings.model_fields["timeout_s"].default
    async with Store.open(members.url(), "kuji_frozen", timeout_s=timeout_s) as store:
        await store.db["marks"].insert_one({"_id": "before"})
        primary = await asyncio.to_thread(members.primary)
        os.killpg(members.members[primary].pid, signal.SIGSTOP)
        begun = asyncio.get_running_loop().time()
        await await_all(
            *(store.db["marks"].insert_one({"_id": number}) for number in range(8)), store.db["marks"].find_one({})
        )
        waited_s = asyncio.get_running_loop().time() - begun
        assert await store.db["marks"].count_documents({}) == 9
        assert await asyncio.to_thread(members.primary) != primary
    assert waited_s < timeout_s


async def test_a_start_with_a_new_index_waits_for_no_member_that_is_down(members: DatabaseCluster) -> None:
    """Build it on a majority: by default the server waits for all members that hold data."""
    primary = await asyncio.to_thread(members.primary)
    members.members[next(port for port in members.ports if port != primary)].kill()
    async with Store.open(members.url(), "kuji_upgraded", timeout_s=60) as store, asyncio.timeout(120):
        await store.db["things"].insert_one({"kind": "a"})
        await store.ensure([Collection("things", None, (Index("kind"),))])
        assert "kind_1" in await store.db["things"].index_information()
