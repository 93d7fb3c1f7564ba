"""`./kuji demo`: the whole event on this machine, with what a person wants to see at the end.

Starts the servers and the services, plays every phase, checks what must hold, and leaves a report, the transcript, a
postcard and the certificate to look at.
"""

import asyncio
import json
import os
import platform
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.demo import evidence, phases
from deploy.demo.installation import Door, Installation, Office, office
from deploy.demo.invariants import Invariant, check
from deploy.demo.people import DemoApplication, population
from deploy.demo.phases import Play
from deploy.demo.progress import Stage
from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.demo.report import Report
from deploy.local import runs
from deploy.local.stack import Options, Stack
from shared.campaign import Campaign
from shared.clock import set_rehearsal_clock

QUICK = {
    "KUJI_GATHER_S": "1.5",
    "KUJI_MAIL_WAITS_S": "[0.5,1,2]",
    "KUJI_APPLICATIONS_PER_MINUTE": "0",
    "KUJI_LOOKUPS_PER_MINUTE": "0",
}
"""A rehearsal does not wait a minute for a fuller batch, and its two weeks come from one address in seconds."""


@dataclass(frozen=True)
class DemoOptions:
    """`home`: where the installation lives; `output`: where what people look at is kept."""

    home: Path
    output: Path
    size: int = 2000
    seed: int = 777
    canary: str | None = None


def run_demo(options: DemoOptions, console: Console) -> Report:
    """The demo from start to end. Raises KujiError where a part fails; the report says whether all invariants held."""
    started = time.monotonic()
    options.output.mkdir(parents=True, exist_ok=True)
    stage = Stage(console)
    campaign = rehearsal_of(SAMPLE, options.home / "campaigns")
    clock_file = options.home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(hours=1))
    applications = population(campaign, options.seed, options.size, options.canary)
    stack_options = Options(options.home / "campaigns", clock_file, more=QUICK)
    with runs.watchdog(options.home) as watchdog:
        stack = Stack(options.home, stack_options, watchdog=watchdog)
        with stage.phase("servers", "Servers and services start"):
            stack.start()
        try:
            report = asyncio.run(_play(installation_of(stack, campaign), applications, stage, options))
        finally:
            with stage.phase("stop", "Everything stops"):
                stack.stop()
    report.seconds = {**stage.seconds, "total": round(time.monotonic() - started, 2)}
    (options.output / "demo-report.json").write_text(json.dumps(report.to_json(), ensure_ascii=False, indent=1))
    return report


def installation_of(stack: Stack, campaign: Campaign) -> Installation:
    """The doors of a stack on this machine."""
    doors = {name: Door(stack.url(name), stack.secrets.ops[name]) for name in stack.ports}
    assert stack.options.clock_file is not None  # noqa: S101  (a rehearsal has one)
    return Installation(
        campaign,
        **doors,
        clock_file=stack.options.clock_file,
        mailbox=stack.servers.mailbox,
        keystore=stack.keystore,
    )


async def _play(
    installation: Installation, applications: list[DemoApplication], stage: Stage, options: DemoOptions
) -> Report:
    async with office(installation) as staff:
        return await play_event(Play(staff, options.output), applications, stage)


async def play_event(play: Play, applications: list[DemoApplication], stage: Stage) -> Report:
    """Every phase in order, on whatever installation `play` has the doors of."""
    total = len(applications)
    with stage.phase("apply", "Applications: sealed, posted, receipted", total) as counter:
        await phases.take_applications(play, applications, counter)
    with stage.phase("decide", "Vault: opened, judged, encrypted", total) as counter:
        await phases.await_verdicts(play, total, counter)
    with stage.phase("desk", "Desk: possible duplicates decided", 0) as counter:
        desk = await phases.decide_held(play, counter)
    with stage.phase("freeze", "Lottery: list frozen and signed"):
        await phases.freeze(play)
    with stage.phase("draw", "Lottery: dice, tickets, places"):
        await phases.roll_dice(play)
        transcript = await phases.keep_transcript(play)
    with stage.phase("notify", "Notices: mail and postcards", 0) as counter:
        await phases.await_notices(play, await evidence.readable(play.office), counter)
    with stage.phase("collect", "What became of everybody, compared"):
        facts = await evidence.facts(play.office, applications, desk, transcript)
        summaries = await evidence.summaries(play.office)
        postcard = await evidence.keep_postcard(play.office, play.output)
    with stage.phase("return", "Close-out: everything back to the ward"):
        returned = await phases.return_to_ward(play)
    with stage.phase("erase", "Close-out: erased everywhere, certified"):
        certificate = await phases.erase(play)
        gone = await evidence.after_erasure(play.office)
    return Report(
        machine=_machine(),
        facts=facts,
        summaries=summaries,
        invariants=[*check(facts), *gone, _certified(certificate)],
        certificate=certificate,
        returned_bytes=returned,
        vault_key=(await play.office.get_root(play.office.at.vault, "signing-key"))["public_key"],
        files={
            "transcript": str(transcript),
            "postcard": str(postcard),
            "certificate": str(play.output / "certificate.pdf"),
            "report": str(play.output / "demo-report.json"),
        },
    )


def _certified(certificate: dict[str, Any]) -> Invariant:
    return Invariant(
        "the certificate of erasure says PASS", certificate["verdict"] == "PASS", f"verdict {certificate['verdict']}"
    )


def _machine() -> str:
    return f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, Python {platform.python_version()}"


__all__ = ["DemoOptions", "Office", "installation_of", "play_event", "run_demo"]
