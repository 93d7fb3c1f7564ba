"""Fork lottery processes that look after draws until their results are published, or die at a given write."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from bson.binary import UUID_SUBTYPE, Binary
from pymongo import monitoring

from services.lottery import scheduler
from services.lottery.draw.randomness_entry import ObjectionsOpenError
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.keys import LotteryKeys
from services.lottery.results import publish
from shared.approvals import ApprovalRefusedError
from shared.campaign import Campaign
from shared.clock import FixedClock
from shared.storage import Store
from shared.storage.leases import LEASES
from tests.support.lottery_harness import Office, new_office
from tests.support.service_keys import keys_dir

SHORT_LEASE_S: Final = 0.1
AT_ONCE: Final = 4
"""Processes that are killed side by side."""
LONGEST_S: Final = 120
"""Time for a process or two to draw; each takes a few seconds where the machine has nothing else to do."""
_WRITES: Final = frozenset({"insert", "update", "findAndModify", "commitTransaction"})


@dataclass(frozen=True)
class Orders:
    """Orders for a process.

    `at`: time of its clock. `dies_at`: number, from 1, of the write before which it dies. `further`: the first draw is
    published; the process opens a further round and looks after that.
    """

    url: str
    database: str
    folder: Path
    campaign: Campaign
    at: datetime
    dies_at: int | None = None
    further: bool = False


class _Death(monitoring.CommandListener):
    """Kills the process (SIGKILL) just before one of its writes to the database; only the session is noted."""

    def __init__(self, at: int, note: Path) -> None:
        self._left, self._note = at, note

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _WRITES or LEASES in event.command.values():
            return
        self._left -= 1
        if self._left == 0:
            self._note.write_bytes(event.command["lsid"]["id"])
            os.kill(os.getpid(), signal.SIGKILL)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Says nothing about writes to come."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Says nothing about writes to come."""


def begun(orders: Orders) -> BaseProcess:
    """Return a process, forked from a server that has everything imported, so that it begins at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.draw_preload"])
    process = context.Process(target=_run, args=(orders,), daemon=True)
    process.start()
    return process


async def killed_at_each_write(orders_of: Callable[[int], Awaitable[Orders]]) -> list[Orders]:
    """Kill a process before each of its writes, each with orders of its own, until one comes to its end alive.

    Return the orders of the killed processes.
    """
    killed: list[Orders] = []
    for first in count(1, AT_ONCE):
        orders = [replace(await orders_of(number), dies_at=number) for number in range(first, first + AT_ONCE)]
        processes = [begun(one) for one in orders]
        for process in processes:
            await asyncio.to_thread(process.join, LONGEST_S)
        ends = [process.exitcode for process in processes]
        dead = ends.index(0) if 0 in ends else AT_ONCE
        assert ends == [-signal.SIGKILL] * dead + [0] * (AT_ONCE - dead)
        killed += orders[:dead]
        if dead < AT_ONCE:
            return killed
    raise AssertionError("unreachable: the count has no end")


async def taken_back(store: Store, folder: Path) -> None:
    """End the transactions that killed processes left open, as the server does after some seconds."""
    await store.db.client.admin.command({"killSessions": _left_open(folder)})


def _left_open(folder: Path) -> list[dict[str, Binary]]:
    return [{"id": Binary(note.read_bytes(), UUID_SUBTYPE)} for note in folder.glob("*.session")]


def _run(orders: Orders) -> None:
    scheduler.LEASE_S = SHORT_LEASE_S
    publish.PARTS_AT_ONCE = 1
    if orders.dies_at is not None:
        monitoring.register(_Death(orders.dies_at, orders.folder / f"{orders.dies_at}.session"))
    asyncio.run(_alone(orders))


async def _alone(orders: Orders) -> None:
    keys, clock = LotteryKeys(keys_dir()), FixedClock(orders.at)
    office = new_office(orders.url, orders.database, keys, clock, orders.campaign)
    async with office.store:
        await (until_round_said if orders.further else until_said)(office, orders.campaign)


async def until_round_said(office: Office, campaign: Campaign) -> None:
    """Open a further round, unless another process has, and advance it until all its results are published."""
    while (await office.draw()).number == 1:
        try:
            await office.open_further_round()
        except (WrongStateError, ApprovalRefusedError):
            await asyncio.sleep(SHORT_LEASE_S / 4)  # another process opens it
    await until_said(office, campaign)


async def until_said(office: Office, campaign: Campaign) -> None:
    """Advance the draw, and enter digits and beacon where it waits for them, until all results are published."""
    while True:
        await office.scheduler.advance(campaign)
        draw = await office.draw()
        if draw.state is DrawState.PUBLISHED:
            return
        if draw.state is DrawState.FROZEN and draw.lacks_randomness:
            await _enter_chance(office)
        await asyncio.sleep(SHORT_LEASE_S / 4)


async def _enter_chance(office: Office) -> None:
    try:
        await office.enter_chance()
    except (ObjectionsOpenError, WrongStateError):
        return  # another process was faster or has a better clock: by this one it is before the freeze, or too late
