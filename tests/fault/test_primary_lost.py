"""MongoDB's primary dies in the middle of a draw, again and again; the draw ends as if nothing had been."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.local.house import HOUSE
from deploy.local.mongodb import MongoDB, find_mongod
from deploy.local.ports import free_ports
from deploy.local.processes import Watchdog
from services.lottery import ledger, publishing, schedule
from services.lottery.chance import Dice
from services.lottery.states import DrawState
from services.lottery.steps import WrongState, draw_of
from services.lottery.verification import verify_transcript
from shared.errors import TransientError
from shared.storage import OUTBOX, PyMongoError
from tests.integration.lottery.town import PEOPLE, WITNESSES, Office, Town, everybody_is_in, town_of
from tests.unit.lottery.draws import DICE, sample_campaign

KILLED_IN = (DrawState.OPEN, DrawState.FREEZING, DrawState.FROZEN, DrawState.DRAWN)
PATIENCE_S = 60.0


@pytest.fixture
def mongodb(tmp_path: Path, watchdog: Watchdog) -> Iterator[MongoDB]:
    """A server of our own, for it is killed."""
    binary = find_mongod(HOUSE)
    assert binary is not None
    server = MongoDB(tmp_path / "mongodb", free_ports(1)[0], binary, watchdog)
    server.start()
    server.ready()
    yield server
    server.stop()


@pytest.fixture
async def town(mongodb: MongoDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setattr(publishing, "PARTS_AT_ONCE", 1)
    monkeypatch.setattr(schedule, "LEASE_S", 0.3)
    async with town_of(sample_campaign(), mongodb.url(), "kuji_lottery", tmp_path / "keys") as made:
        await everybody_is_in(made)
        yield made


async def lose_the_primary(mongodb: MongoDB) -> None:
    mongodb.children.pop().kill()
    mongodb.start()
    await asyncio.to_thread(mongodb.ready)


async def persistently(office: Office, town: Town, over: Callable[[], bool]) -> None:
    """As the watch does: a step that fails is tried again."""
    while not over():
        try:
            await office.schedule.advance(town.campaign)
            if (await draw_of(office.store, town.campaign.id))["state"] == DrawState.FROZEN:
                await office.chance.give_dice(town.campaign.id, Dice(DICE, DICE, WITNESSES), "yamada")
        except (PyMongoError, TransientError, WrongState):
            await asyncio.sleep(0.05)


async def comes_to(town: Town, state: DrawState) -> None:
    """Seen from another process, which meets the same outages."""
    states = list(DrawState)
    while True:
        with suppress(PyMongoError, TransientError):
            found = (await draw_of(town.office.store, town.campaign.id))["state"]
            if states.index(found) >= states.index(state):
                return
        await asyncio.sleep(0.01)


async def test_a_draw_survives_the_loss_of_the_primary_at_every_state(town: Town, mongodb: MongoDB):
    ended = asyncio.Event()
    working = [asyncio.create_task(persistently(office, town, ended.is_set)) for office in town.offices[1:]]
    async with asyncio.timeout(PATIENCE_S):
        for state in KILLED_IN:
            await comes_to(town, state)
            await lose_the_primary(mongodb)
        await comes_to(town, DrawState.PUBLISHED)
    ended.set()
    await asyncio.gather(*working)
    store, name = town.office.store, town.campaign.id
    transcript = json.loads(await ledger.get_text(store, f"{name}-1:transcript"))
    assert verify_transcript(transcript).passed
    assert json.loads(transcript["manifest"])["rows"] == PEOPLE
    said = await store.db[OUTBOX].find({"name": "results.published"}).to_list(None)
    told = [item["application_id"] for line in said for item in json.loads(line["body"])["items"]]
    assert sorted(told) == sorted(town.ids)
