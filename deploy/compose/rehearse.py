"""`./kuji compose rehearse`: the whole event on a running compose installation, over its published ports."""

import asyncio
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from deploy.compose import record, secrets
from deploy.demo.facts import Invariant
from deploy.demo.installation import Installation, make_team, open_staff_client, signing_key
from deploy.demo.people import population
from deploy.demo.phases import EventRun
from deploy.demo.progress import PhaseProgress
from deploy.demo.rehearsal import SAMPLE, last_rehearsal_of, rehearsal_of
from deploy.demo.report import Report
from deploy.demo.run import play_event
from deploy.people.browser import ServiceAddress
from deploy.people.invented import read_accounts, write_accounts
from deploy.people.team import Team
from shared.clock import set_rehearsal_clock
from shared.errors import KujiError


def prepare(folder: Path) -> None:
    """Write the rehearsal's campaign file and clock, which the containers mount, before they start.

    After a rehearsal that was erased, another campaign is written beside the erased one.
    """
    number = max(1, last_rehearsal_of(SAMPLE, folder / "campaigns"))
    campaign = rehearsal_of(SAMPLE, folder / "campaigns", number, asks_beacon=False)
    if campaign.id == _erased(folder):
        campaign = rehearsal_of(SAMPLE, folder / "campaigns", number + 1, asks_beacon=False)
        _empty_mailbox(folder)
    clock = clock_file(folder)
    set_rehearsal_clock(clock, campaign.window.opens + timedelta(hours=1))
    clock.chmod(0o644)


def _erased(folder: Path) -> str | None:
    """Return the campaign of the last certificate; None if no rehearsal was played to its end."""
    try:
        certificate = json.loads((folder / "rehearsal" / "certificate.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return str(certificate["campaign"])


def _empty_mailbox(folder: Path) -> None:
    """Remove the mails of the erased rehearsal, which would be taken for the next one's."""
    for mail in (folder / "mailbox").glob("*.*"):
        mail.unlink()


def clock_file(folder: Path) -> Path:
    """Return the file of the rehearsal's clock, which the containers mount."""
    return folder / "clock" / "clock.json"


def rehearse(folder: Path, size: int, console: Console) -> Report:
    """Plays on whatever answers at the published ports. Raises KujiError."""
    started = time.monotonic()
    number = max(1, last_rehearsal_of(SAMPLE, folder / "campaigns"))
    campaign = rehearsal_of(SAMPLE, folder / "campaigns", number, asks_beacon=False)
    if campaign.id == _erased(folder):
        raise KujiError(f"{campaign.id} was erased; ./kuji compose init --rehearsal makes the next one, then restart")
    at = Installation(
        campaign,
        services={
            service: ServiceAddress(record.url(service), record.pages(folder, service)) for service in record.PORTS
        },
        clock_file=clock_file(folder),
        campaigns_dir=folder / "campaigns",
        setup_token_file=record.setup_token_file(folder),
        paper_token_file=folder / "intake" / "paper-token",
        mailbox=folder / "mailbox",
        keystore=None,
    )
    output = folder / "rehearsal"
    output.mkdir(exist_ok=True)
    progress = PhaseProgress(console)

    async def play() -> Report:
        async with httpx.AsyncClient() as client:
            secrets.pin(folder, await signing_key(at, client))
        with progress.phase("people", "People: accounts made and signed in"):
            team = await _team(at, folder)
        async with open_staff_client(at, team) as staff:
            return await play_event(EventRun(staff, output), population(campaign, 776 + number, size), progress)

    report = asyncio.run(play())
    *others, _ = report.invariants  # the last asks for a certificate that passes in every part
    seconds = {**progress.seconds, "total": round(time.monotonic() - started, 2)}
    report = dataclasses.replace(report, invariants=[*others, certified(report.certificate)], seconds=seconds)
    (output / "demo-report.json").write_text(json.dumps(report.to_json(), ensure_ascii=False, indent=1))
    return report


def certified(certificate: Mapping[str, Any]) -> Invariant:
    """Check that all parts of the certificate pass except the logs, which the engine keeps out of the vault's reach."""
    stores = Counter(store["result"] for store in certificate["services"])
    parts = {part: certificate[part]["result"] for part in ("broker", "backups", "logs")}
    holds = set(stores) == {"PASS"} and parts == {"broker": "PASS", "backups": "PASS", "logs": "UNKNOWN"}
    part_results = ", ".join(f"{part} {result}" for part, result in parts.items())
    return Invariant(
        "the certificate passes all but the logs, which the engine keeps", holds, f"{dict(stores)}, {part_results}"
    )


async def _team(at: Installation, folder: Path) -> Team:
    """Make the people of the first rehearsal, whose accounts the folder keeps for those after it."""
    known = read_accounts(folder)
    if known:
        return await asyncio.to_thread(Team.sign_in, at.services, known)
    team = await make_team(at)
    write_accounts(folder, team.accounts)
    return team
