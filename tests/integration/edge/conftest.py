"""Fixtures of the edge's tests: the services run once for a module, the machine with the spool is new for each test."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.local.processes import Watchdog
from deploy.local.stack import Options, Stack
from shared.clock import set_rehearsal_clock
from tests.support.edge_harness import Edge
from tests.support.waiting import block_until


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, str]]:
    home = tmp_path_factory.mktemp("edge")
    campaign = rehearsal_of(SAMPLE, home / "campaigns")
    clock_file = home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(hours=1))
    options = Options(home / "campaigns", clock_file, services=("intake", "vault"))
    with Watchdog() as watchdog, Stack(home, options, watchdog=watchdog) as stack:
        key = f"{stack.url('intake')}/v1/campaigns/{campaign.id}/sealing-key"
        block_until(lambda: httpx.get(key, timeout=10).is_success)  # the vault publishes it after its start
        yield stack, campaign.id


@pytest.fixture
def edge(running: tuple[Stack, str], tmp_path: Path) -> Edge:
    return Edge(running[0], tmp_path, running[1])
