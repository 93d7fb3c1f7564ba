"""`./kuji demo`: the whole event on this machine, with what a person wants to see at the end.

Starts the servers and the services, plays every phase, checks what must hold, and leaves a report, the transcript, a
postcard and the certificate to look at.
"""

import asyncio
import json
import os
import platform
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from deploy.demo import evidence, notice_phases, phases
from deploy.demo.application import DemoApplication
from deploy.demo.chance import enter_dice
from deploy.demo.facts import Invariant
from deploy.demo.installation import Installation, StaffClient, make_team, open_staff_client
from deploy.demo.invariants import check
from deploy.demo.people import population
from deploy.demo.phases import EventRun
from deploy.demo.progress import PhaseProgress
from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.demo.report import Report
from deploy.demo.text_invariants import mail_address
from deploy.local import runs
from deploy.local.ports import origins
from deploy.local.stack import Options, Stack
from deploy.people.browser import ServiceAddress
from shared.campaign import Campaign
from shared.clock import set_rehearsal_clock
from shared.json_types import JsonObject

QUICK = {
    "KUJI_GATHER_S": "0.5",
    "KUJI_MAIL_WAITS_S": "[0.5,1,2]",
    "KUJI_APPLICATIONS_PER_MINUTE": "0",
    "KUJI_LOOKUPS_PER_MINUTE": "0",
    "KUJI_WORK_BITS": "0",
    "KUJI_WATCH_S": "0.2",
    "KUJI_CLOSE_OUT_WATCH_S": "0.2",
    "KUJI_TICK_S": "0.2",
    "KUJI_CHECKPOINT_S": "0.5",
}
"""A rehearsal does not wait a minute for a fuller batch, and its two weeks come from one address in seconds.

Its phases follow each other at once, so services look more often whether a moment has come.
"""


@dataclass(frozen=True)
class DemoOptions:
    """`home`: where the installation lives; `output`: where what people look at is kept."""

    home: Path
    output: Path
    size: int = 2000
    seed: int = 777
    canary: str | None = None


def run_demo(options: DemoOptions, console: Console) -> Report:
    """Run the demo from start to end and return its report. Raises KujiError where a part fails."""
    started = time.monotonic()
    options.output.mkdir(parents=True, exist_ok=True)
    progress = PhaseProgress(console)
    campaign = rehearsal_of(SAMPLE, options.home / "campaigns")
    clock_file = options.home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(hours=1))
    applications = population(campaign, options.seed, options.size, options.canary)
    stack_options = Options(options.home / "campaigns", clock_file, more=QUICK)
    with runs.watchdog(options.home) as watchdog:
        stack = Stack(options.home, stack_options, watchdog=watchdog)
        with progress.phase("servers", "Servers and services start"):
            stack.start()
        try:
            report = asyncio.run(_play(installation_of(stack, campaign), applications, progress, options))
        finally:
            with progress.phase("stop", "Everything stops"):
                stack.stop()
    report.seconds = {**progress.seconds, "total": round(time.monotonic() - started, 2)}
    (options.output / "demo-report.json").write_text(json.dumps(report.to_json(), ensure_ascii=False, indent=1))
    return report


def installation_of(stack: Stack, campaign: Campaign) -> Installation:
    """Return the endpoints and paths of a stack on this machine."""
    pages = origins(stack.ports)
    assert stack.options.clock_file is not None  # noqa: S101  (a rehearsal has one)
    return Installation(
        campaign,
        services={name: ServiceAddress(stack.url(name), pages[name]) for name in stack.ports},
        clock_file=stack.options.clock_file,
        campaigns_dir=stack.options.campaigns_dir,
        setup_token_file=stack.secrets.setup_token_file,
        paper_token_file=stack.secrets.paper_token_file,
        mailbox=stack.servers.mailbox,
        keystore=stack.keystore,
    )


async def _play(
    installation: Installation, applications: list[DemoApplication], progress: PhaseProgress, options: DemoOptions
) -> Report:
    with progress.phase("people", "People: accounts made and signed in"):
        team = await make_team(installation)
    async with open_staff_client(installation, team) as staff:
        return await play_event(EventRun(staff, options.output), applications, progress)


async def play_event(play: EventRun, applications: list[DemoApplication], progress: PhaseProgress) -> Report:
    """Play all phases in order on the installation of `play`, and return the report."""
    total = len(applications)
    with progress.phase("release", "Office: texts of notices released"):
        await notice_phases.release_templates(play)
    with progress.phase("apply", "Applications: sealed, posted, receipted", total) as bar:
        taken = await phases.take_applications(play, applications, bar)
    with progress.phase("decide", "Vault: opened, judged, encrypted", total) as bar:
        await phases.await_verdicts(play, total, bar)
    with progress.phase("acknowledge", "Notices: every mailbox acknowledged") as bar:
        await notice_phases.await_acknowledgements(play, count_acknowledged(applications), bar)
    with progress.phase("desk", "Desk: possible duplicates decided", 0) as bar:
        desk = await phases.decide_held(play, bar)
    with progress.phase("freeze", "Lottery: list frozen and signed"):
        await phases.freeze(play)
    with progress.phase("witness", "Vault: two witnesses enter their digits"):
        await enter_dice(play.staff)
    with progress.phase("draw", "Lottery: the beacon's value, tickets, places"):
        await phases.draw(play)
        transcript = await phases.keep_published(play)
    with progress.phase("notify", "Notices: mail and postcards", 0) as bar:
        await notice_phases.await_results(play, await notice_phases.readable(play), bar)
    with progress.phase("places", "Lottery: places given up and passed on") as bar:
        played = await notice_phases.pass_places_on(play, taken, bar)
    with progress.phase("announce", "Notices: an announcement in BCC") as bar:
        played = replace(played, announced=await notice_phases.announce(play, bar))
    with progress.phase("collect", "What became of everybody, compared"):
        facts = await evidence.facts(play, taken, desk, played)
        summaries = await evidence.summaries(play.staff)
        postcard = await evidence.keep_postcard(play.staff, play.output)
    with progress.phase("return", "Close-out: everything back to the ward"):
        returned = await phases.return_to_ward(play)
    with progress.phase("erase", "Close-out: erased everywhere, certified"):
        certificate = await phases.erase(play)
        gone = [*await evidence.after_erasure(play.staff), await evidence.cosigned(play.staff)]
    return Report(
        machine=_machine(),
        facts=facts,
        summaries=summaries,
        invariants=[*check(facts), *gone, _certified(certificate)],
        certificate=certificate,
        returned_bytes=returned,
        vault_key=await play.staff.signing_key(),
        files={
            "transcript": str(transcript),
            "roll": str(transcript.with_name("roll.txt")),
            "postcard": str(postcard),
            "certificate": str(play.output / "certificate.pdf"),
            "report": str(play.output / "demo-report.json"),
        },
    )


def count_acknowledged(applications: list[DemoApplication]) -> int:
    """Count the applications with a mail address whose own content is in order: copies are acknowledged, too."""
    complete = (each for each in applications if each.expected.own_status == "complete")
    return sum(mail_address(each) is not None for each in complete)


def _certified(certificate: JsonObject) -> Invariant:
    return Invariant(
        "the certificate of erasure says PASS", certificate["verdict"] == "PASS", f"verdict {certificate['verdict']}"
    )


def _machine() -> str:
    return f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, Python {platform.python_version()}"


__all__ = ["DemoOptions", "StaffClient", "count_acknowledged", "installation_of", "play_event", "run_demo"]
