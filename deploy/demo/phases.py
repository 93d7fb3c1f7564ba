"""The event from the first application to the certificate, one function per phase, as staff would go through it."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage

from deploy.demo.client import IntakeClient, Receipted
from deploy.demo.installation import Office
from deploy.demo.people import DemoApplication
from deploy.demo.progress import Counter
from deploy.demo.rehearsal import until
from shared.clock import set_rehearsal_clock
from shared.ids import ApplicationId

PATIENCE_S = 120.0
NAMESAKES = 5
"""Every so many of those held are, for the play, two people of one name; the others applied twice."""


@dataclass(frozen=True)
class Play:
    """What every phase needs: the office's calls, and the folder for what people will look at."""

    office: Office
    output: Path

    def jump(self, to: datetime) -> None:
        """Move the rehearsal's clock."""
        set_rehearsal_clock(self.office.at.clock_file, to)


async def take_applications(play: Play, applications: Sequence[DemoApplication], counter: Counter) -> list[Receipted]:
    """Seal as outside clients do and post over HTTP, until each has its receipt."""
    at = play.office.at
    trusted = (await play.office.get_root(at.vault, "signing-key"))["public_key"]
    async with IntakeClient(at.intake.url, at.campaign.id, trusted=trusted, ops_token=at.intake.token) as client:
        return await client.submit(applications, done=lambda _: counter.step())


async def await_verdicts(play: Play, count: int, counter: Counter) -> dict[str, Any]:
    """Until the vault has decided every application, or holds it for the desk."""

    async def ask() -> dict[str, Any]:
        summary: dict[str, Any] = await play.office.get(play.office.at.vault, "summary")
        counter.to(_decided(summary))
        return summary

    return await until(ask, lambda s: _decided(s) >= count, within_s=PATIENCE_S, what="verdicts of the vault")


def _decided(summary: dict[str, Any]) -> int:
    return sum(int(summary["applications"].get(state, 0)) for state in ("accepted", "rejected", "held"))


async def decide_held(play: Play, counter: Counter) -> dict[ApplicationId, str]:
    """The desk looks at each held application; here every fifth is a namesake, the others applied twice."""
    held = (await play.office.get(play.office.at.vault, "held"))["held"]
    counter.to(0, len(held))
    decided: dict[ApplicationId, str] = {}
    for index, item in enumerate(sorted(held, key=lambda each: str(each["application_id"]))):
        decision, reason = ("accept", "namesake") if index % NAMESAKES == 0 else ("reject", "duplicate")
        body = {"decision": decision, "reason": reason, "actor": "demo-desk"}
        await play.office.post(play.office.at.vault, f"held/{item['application_id']}", body)
        decided[ApplicationId(item["application_id"])] = decision
        counter.step()
    return decided


async def freeze(play: Play) -> dict[str, Any]:
    """Time passes to the draw; the list freezes by schedule once the roll of receipts agrees with the verdicts."""
    play.jump(play.office.at.campaign.draw.at + timedelta(seconds=1))
    return await _draw_state(play, {"frozen"}, "the freeze of the list")


async def roll_dice(play: Play) -> dict[str, Any]:
    """Dice of the operating system, labelled as such: in a real draw witnesses read out digits from real dice."""
    digits = "".join(secrets.choice("0123456789") for _ in range(play.office.at.campaign.draw.digits))
    body = {
        "digits": digits,
        "digits_again": digits,
        "witnesses": ["DEMO (dice of the operating system, 1)", "DEMO (dice of the operating system, 2)"],
        "actor": "demo-office",
    }
    await play.office.post(play.office.at.lottery, "dice", body)
    return await _draw_state(play, {"published"}, "the draw")


async def _draw_state(play: Play, states: set[str], what: str) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        state: dict[str, Any] = await play.office.get(play.office.at.lottery, "draw")
        return state

    return await until(ask, lambda draw: draw["state"] in states, within_s=PATIENCE_S, what=what)


async def keep_transcript(play: Play) -> Path:
    path = play.output / "transcript.json"
    path.write_bytes(await play.office.get_bytes(play.office.at.lottery, "transcript"))
    return path


async def await_notices(play: Play, expected: int, counter: Counter) -> list[dict[str, Any]]:
    """Until every notice is in a state that needs nothing more."""
    counter.to(0, expected)

    async def ask() -> dict[str, Any]:
        summary: dict[str, Any] = await play.office.get(play.office.at.notifier, "summary")
        counter.to(_final(summary))
        return summary

    await until(ask, lambda s: _final(s) >= expected, within_s=PATIENCE_S, what="notices")
    notices: list[dict[str, Any]] = (await play.office.get(play.office.at.notifier, "notices"))["notices"]
    return notices


def _final(summary: dict[str, Any]) -> int:
    return sum(int(summary["notices"].get(state, 0)) for state in ("mailed", "printed"))


async def return_to_ward(play: Play) -> int:
    """Everything goes back, encrypted to the ward's key; the ward opens it and confirms. Returns its size in bytes."""
    office = play.office
    play.jump(office.at.campaign.close_out + timedelta(seconds=1))
    ward = pyrage.x25519.Identity.generate()
    body = {"recipient": str(ward.to_public()), "requested_by": "demo-handler", "approved_by": "demo-responsible"}
    made = await office.post(office.at.vault, "return-package", body)
    package = await office.get_bytes(office.at.vault, f"return-package/{made['id']}")
    opened = await asyncio.to_thread(pyrage.decrypt, package, [ward])
    digest = hashlib.sha256(package).hexdigest()
    await office.post(office.at.vault, "return-confirmation", {"sha256": digest, "confirmed_by": "demo-ward"})
    return len(opened)


async def erase(play: Play) -> dict[str, Any]:
    """Erasure in every service, then the certificate; keeps it as JSON and as the page for people."""
    office = play.office
    body = {"requested_by": "demo-handler", "approved_by": "demo-ward", "responsible": "demo-responsible"}
    await office.post(office.at.vault, "erasure", body)

    async def ask() -> dict[str, Any]:
        state: dict[str, Any] = await office.get(office.at.vault, "erasure")
        return state

    await until(ask, lambda s: s["state"] == "certified", within_s=PATIENCE_S, what="the erasure")
    content = await office.get_bytes(office.at.vault, "certificate")
    (play.output / "certificate.json").write_bytes(content)
    (play.output / "certificate.pdf").write_bytes(await office.get_bytes(office.at.vault, "certificate.pdf"))
    certificate: dict[str, Any] = json.loads(content)
    return certificate
