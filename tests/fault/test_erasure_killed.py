"""All services are killed again and again during an erasure: it ends certified, and nothing is left."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy.demo import phases
from deploy.demo.installation import StaffClient, open_staff_client
from deploy.demo.people import population
from deploy.demo.phases import EventRun
from deploy.demo.progress import PhaseProgress
from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.demo.run import QUICK, installation_of
from deploy.local.processes import Watchdog
from deploy.local.stack import Options, Stack
from services.vault.closeout.rules.required_stores import REQUIRED_STORES
from shared.campaign import Campaign
from shared.clock import set_rehearsal_clock
from shared.contracts import SERVICES
from shared.storage import Store
from tests.support.waiting import await_all

SIZE = 40


@dataclass(frozen=True)
class Aftermath:
    """`stages`: those at which all services were killed. `left`: documents of the campaign by collection."""

    stages: tuple[str, ...]
    certificate: dict[str, Any]
    left: dict[str, int]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    home = tmp_path_factory.mktemp("fault-erasure")
    campaign = rehearsal_of(SAMPLE, home / "campaigns")
    clock_file = home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(hours=1))
    options = Options(home / "campaigns", clock_file, more=QUICK)
    with Watchdog() as watchdog, Stack(home, options, watchdog=watchdog) as stack:
        yield asyncio.run(_play(stack, campaign, home))


async def _play(stack: Stack, campaign: Campaign, home: Path) -> Aftermath:
    progress = PhaseProgress(Console(quiet=True))
    async with open_staff_client(installation_of(stack, campaign)) as staff:
        play = EventRun(staff, home)
        with progress.phase("all", "everything", SIZE) as bar:
            await phases.take_applications(play, population(campaign, 5, SIZE), bar)
            await phases.await_verdicts(play, SIZE, bar)
        await phases.return_to_ward(play)
        await phases.order_erasure(staff)
        stages = await _kill_at_each_stage(stack, staff)
        certificate: dict[str, Any] = await staff.get("vault", "certificate")
    return Aftermath(tuple(stages), certificate, await _left(stack, campaign))


async def _kill_at_each_stage(stack: Stack, staff: StaffClient) -> list[str]:
    """Kill all services whenever the erasure has moved on, and restart them, until it is certified."""
    stages: list[str] = []
    async with asyncio.timeout(240):
        while (stage := await _stage(staff)) != "certified":
            if stages and stage == stages[-1]:
                await asyncio.sleep(0.02)
                continue
            stages.append(stage)
            for service in SERVICES:
                await asyncio.to_thread(stack.kill, service)
            await await_all(*(asyncio.to_thread(stack.restart, service) for service in SERVICES))
    return stages


async def _stage(staff: StaffClient) -> str:
    return str((await staff.get("vault", "erasure"))["state"])


async def _left(stack: Stack, campaign: Campaign) -> dict[str, int]:
    """Count the campaign's documents in every collection that the certificate speaks of."""
    left: dict[str, int] = {}
    for service in SERVICES:
        environment = stack.environment(service)
        store = Store.open(environment["KUJI_MONGO_URL"], environment["KUJI_MONGO_DATABASE"])
        names = set(await store.db.list_collection_names()) & REQUIRED_STORES[service]
        for name in names:
            found = await store.db[name].count_documents({"campaign": campaign.id})
            left |= {f"{service}.{name}": found} if found else {}
        await store.close()
    return left


def test_the_services_were_killed_more_than_once_during_the_erasure(aftermath: Aftermath) -> None:
    assert len(aftermath.stages) > 1


def test_the_erasure_ends_certified_and_nothing_is_left(aftermath: Aftermath) -> None:
    assert aftermath.left == {}
    assert aftermath.certificate["verdict"] in {"PASS", "UNKNOWN"}
    failed = [row for row in aftermath.certificate["services"] if row["result"] == "FAIL"]
    assert failed == []
