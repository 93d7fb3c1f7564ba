"""`./kuji compose rehearse`: the whole event on a running compose installation, over its published ports."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from deploy.demo.installation import Door, Installation, office
from deploy.demo.people import population
from deploy.demo.phases import Play
from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.demo.report import Report
from deploy.demo.run import play_event
from deploy.demo.stage import Stage
from shared.clock import set_rehearsal_clock

PORTS = {"intake": 8101, "lottery": 8102, "notifier": 8103, "vault": 8104}


def prepare(folder: Path) -> None:
    """The rehearsal's campaign file and clock, which the containers mount; before `up`."""
    campaign = rehearsal_of(SAMPLE, folder / "campaigns")
    set_rehearsal_clock(folder / "clock" / "clock.json", campaign.window.opens + timedelta(hours=1))
    (folder / "clock" / "clock.json").chmod(0o644)


def rehearse(folder: Path, size: int, console: Console) -> Report:
    """Plays on whatever answers at the published ports. Raises KujiError."""
    campaign = rehearsal_of(SAMPLE, folder / "campaigns")
    at = Installation(
        campaign,
        intake=_door(folder, "intake"),
        lottery=_door(folder, "lottery"),
        notifier=_door(folder, "notifier"),
        vault=_door(folder, "vault"),
        clock_file=folder / "clock" / "clock.json",
        mailbox=folder / "mailbox",
    )
    output = folder / "rehearsal"
    output.mkdir(exist_ok=True)

    async def play() -> Report:
        async with office(at) as staff:
            return await play_event(Play(staff, output), population(campaign, 777, size), Stage(console))

    return asyncio.run(play())


def _door(folder: Path, service: str) -> Door:
    port = os.environ.get(f"KUJI_{service.upper()}_PORT", PORTS[service])
    token = (folder / "secrets" / f"{service}.ops-token").read_text("utf-8").strip()
    return Door(f"http://127.0.0.1:{port}", token)
