"""MongoDB's primary is killed (SIGKILL) under transactions of a draw; when it is back, the draw goes on by itself."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.local.mongodb import MongoDB, require_mongod
from deploy.local.paths import STATE
from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog, await_closed
from services.lottery import scheduler
from services.lottery.draw.rules.states import WrongStateError
from services.lottery.draw.transcript_repository import TranscriptRepository
from services.lottery.record.manifest import draw_id
from services.lottery.results import publish
from services.lottery.verification.transcript_checks import verify_transcript
from shared.periodic import PeriodicTasks
from shared.storage import StoreUnavailableError, translate_errors
from tests.support.draw_builders import sample_campaign
from tests.support.draw_process import SHORT_LEASE_S
from tests.support.lottery_harness import PEOPLE, Town, everybody_is_in, said, town_of
from tests.support.waiting import await_all

LOST_AT: Final = (1, 4, 7)
"""Counts of transactions that are ready to commit at which the primary is lost: the manifest's first, then others of
transcript and results. Repeated transactions count again, those that the other process overtook do not."""


@pytest.fixture
def mongodb(tmp_path: Path, watchdog: Watchdog) -> Iterator[MongoDB]:
    home = tmp_path / "mongodb"
    home.mkdir()
    server = MongoDB(home, free_ports(1)[0], require_mongod(STATE), watchdog)
    server.start()
    server.ready()
    yield server
    server.stop()


@dataclass
class Trouble:
    """Kills the server before certain transactions are committed, once each; starts it again on the same data."""

    mongodb: MongoDB
    ready_to_commit: int = 0
    lost: set[int] = field(default_factory=set)
    back: list[asyncio.Task[None]] = field(default_factory=list)

    def under(self, transact: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def transacting(work: Callable[..., Awaitable[Any]], **named: Any) -> Any:
            async def worked(uow: Any) -> Any:
                result = await work(uow)
                self.ready_to_commit += 1
                if self.ready_to_commit in LOST_AT:
                    self._lose(self.ready_to_commit)
                return result

            return await transact(worked, **named)

        return transacting

    def _lose(self, number: int) -> None:
        self.lost.add(number)
        self.mongodb.children[-1].kill()
        self.back.append(asyncio.create_task(asyncio.to_thread(self._start)))

    def _start(self) -> None:
        await_closed(self.mongodb.port)
        self.mongodb.start()
        self.mongodb.ready()


@pytest.fixture
async def town(mongodb: MongoDB, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setattr(scheduler, "LEASE_S", SHORT_LEASE_S)
    monkeypatch.setattr(publish, "PARTS_AT_ONCE", 1)
    async with town_of(sample_campaign(), mongodb.url(), "lottery") as made:
        await everybody_is_in(made)
        yield made


async def test_a_draw_outlives_the_loss_of_its_database_s_primary(
    town: Town, mongodb: MongoDB, monkeypatch: pytest.MonkeyPatch
):
    trouble = Trouble(mongodb)
    for office in town.offices[:2]:
        monkeypatch.setattr(office.store, "transact", trouble.under(office.store.transact))
    async with asyncio.timeout(200), _looked_after(town):
        await _until(town, "frozen")
        await _answered(lambda: _entered(town))
        await _until(town, "published")
    await await_all(*trouble.back)
    assert trouble.lost == set(LOST_AT)
    transcript = json.loads(await TranscriptRepository(town.office.store).get(draw_id(town.campaign.id, 1)))
    assert verify_transcript(transcript).passed
    result_counts = Counter(item["entry"] for event in await said(town) for item in event["items"])
    assert result_counts == dict.fromkeys((applicant.entry for applicant in town.people), 1)
    assert len(result_counts) == PEOPLE


async def _entered(town: Town) -> None:
    with suppress(WrongStateError):  # the answer to the first attempt was lost
        await town.office.enter_chance()


@asynccontextmanager
async def _looked_after(town: Town) -> AsyncIterator[None]:
    """Run the periodic tasks of two processes, which try again after an error."""
    async with AsyncExitStack() as watches:
        for office in town.offices[:2]:
            watch = PeriodicTasks([town.campaign], [office.scheduler.advance], every_s=0.05)
            await watches.enter_async_context(watch.running())
        yield


async def _until(town: Town, state: str) -> None:
    async def reached() -> bool:
        return str((await town.offices[2].draw()).state) == state

    while not await _answered(reached):  # noqa: ASYNC110  (another process's database is watched)
        await asyncio.sleep(0.05)


async def _answered(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Return the answer as soon as the database is back."""
    while True:
        try:
            with translate_errors():
                return await ask()
        except StoreUnavailableError:
            await asyncio.sleep(0.1)
