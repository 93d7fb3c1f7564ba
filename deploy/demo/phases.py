"""The event from the first application to the certificate, one function per phase, as staff would go through it."""

import asyncio
import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyrage

from deploy.demo.client import ApplicantClient, SubmittedApplication
from deploy.demo.installation import StaffClient
from deploy.demo.people import DemoApplication
from deploy.demo.progress import PhaseBar
from deploy.demo.rehearsal import until
from deploy.people.invented import RESPONSIBLE, WARD
from shared.clock import set_rehearsal_clock
from shared.ids import ApplicationId
from shared.json_types import JsonObject

TIMEOUT_S = 120.0

NAMESAKES = 5
"""Every so many of those held are, for the play, two people of one name; the others applied twice."""


@dataclass(frozen=True)
class EventRun:
    """State of a played event: calls of staff, and the folder for results that people look at."""

    staff: StaffClient
    output: Path

    def jump(self, to: datetime) -> None:
        """Move the rehearsal's clock."""
        set_rehearsal_clock(self.staff.at.clock_file, to)


async def take_applications(
    play: EventRun, applications: Sequence[DemoApplication], bar: PhaseBar
) -> list[SubmittedApplication]:
    """Seal as outside clients do and post over HTTP, until each has its receipt."""
    at = play.staff.at
    trusted, staff = await play.staff.signing_key(), await play.staff.headers("intake")
    async with ApplicantClient(at.services["intake"].url, at.campaign.id, trusted=trusted, staff=staff) as client:
        return await client.submit(applications, done=lambda _: bar.step())


async def await_verdicts(play: EventRun, count: int, bar: PhaseBar) -> JsonObject:
    """Wait until the vault has accepted, rejected or held each application; return its summary."""

    async def ask() -> JsonObject:
        summary: JsonObject = await play.staff.get("vault", "summary")
        bar.to(_decided(summary))
        return summary

    return await until(ask, lambda s: _decided(s) >= count, within_s=TIMEOUT_S, what="verdicts of the vault")


def _decided(summary: JsonObject) -> int:
    return sum(int(summary["applications"].get(state, 0)) for state in ("accepted", "rejected", "held"))


async def decide_held(play: EventRun, bar: PhaseBar) -> dict[ApplicationId, str]:
    """Decide each held application as staff would: each fifth is a namesake, the others are duplicates."""
    held = (await play.staff.get("vault", "held"))["held"]
    bar.to(0, len(held))
    decided: dict[ApplicationId, str] = {}
    for index, item in enumerate(sorted(held, key=lambda each: str(each["application_id"]))):
        decision, reason = ("accept", "namesake") if index % NAMESAKES == 0 else ("reject", "duplicate")
        body = {"decision": decision, "reason": reason}
        await play.staff.post("vault", f"held/{item['application_id']}", body)
        decided[ApplicationId(item["application_id"])] = decision
        bar.step()
    return decided


async def freeze(play: EventRun) -> JsonObject:
    """Time passes to the draw; the list freezes by schedule once the roll of receipts agrees with the verdicts."""
    play.jump(play.staff.at.campaign.draw.at + timedelta(seconds=1))
    return await _draw_state(play, {"frozen"}, "the freeze of the list")


async def roll_dice(play: EventRun) -> JsonObject:
    """Dice of the operating system, labelled as such: in a real draw witnesses read out digits from real dice."""
    digits = "".join(secrets.choice("0123456789") for _ in range(play.staff.at.campaign.draw.digits))
    body = {
        "digits": digits,
        "digits_again": digits,
        "witnesses": ["DEMO (dice of the operating system, 1)", "DEMO (dice of the operating system, 2)"],
    }
    await play.staff.post("lottery", "dice", body)
    return await _draw_state(play, {"published"}, "the draw")


async def _draw_state(play: EventRun, states: set[str], what: str) -> JsonObject:
    async def ask() -> JsonObject:
        state: JsonObject = await play.staff.get("lottery", "draw")
        return state

    return await until(ask, lambda draw: draw["state"] in states, within_s=TIMEOUT_S, what=what)


async def keep_transcript(play: EventRun) -> Path:
    path = play.output / "transcript.json"
    path.write_bytes(await play.staff.get_bytes("lottery", "transcript"))
    return path


async def return_to_ward(play: EventRun) -> int:
    """Return all data to the ward, encrypted to its key, and confirm it; return the size in bytes."""
    staff = play.staff
    play.jump(staff.at.campaign.close_out + timedelta(seconds=1))
    ward = pyrage.x25519.Identity.generate()
    key = {"recipient": str(ward.to_public())}
    responsible = staff.by(RESPONSIBLE)
    fixed = await responsible.approval("ward-key", "set-up", WARD, params=key)
    await responsible.post("vault", "ward-key", {**key, "approval": fixed})
    approval = await staff.approval("return-package", "return-due", RESPONSIBLE, WARD)
    made = await staff.post("vault", "return-package", {"approval": approval})
    package = await staff.get_bytes("vault", f"return-package/{made['id']}")
    opened = await asyncio.to_thread(pyrage.decrypt, package, [ward])
    digest = hashlib.sha256(package).hexdigest()
    await staff.by(WARD).post("vault", "return-confirmation", {"sha256": digest, "code": code_inside(opened)})
    return len(opened)


async def order_erasure(staff: StaffClient) -> None:
    """Order the erasure as a handler, with responsible handler and ward."""
    approval = await staff.approval("erase-campaign", "due", RESPONSIBLE, WARD)
    await staff.post("vault", "erasure", {"approval": approval, "campaign_typed": staff.at.campaign.id})


def code_inside(package: bytes) -> str:
    """Return the code that stands in the read-me of an opened package."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        text = archive.read("README.txt").decode("utf-8-sig")
    return text.partition("受領コード")[2].split()[0]


async def erase(play: EventRun) -> JsonObject:
    """Erasure in every service, then the certificate; keeps it as JSON and as the page for people."""
    staff = play.staff
    await order_erasure(staff)

    async def ask() -> JsonObject:
        state: JsonObject = await staff.get("vault", "erasure")
        return state

    await until(ask, lambda s: s["state"] == "certified", within_s=TIMEOUT_S, what="the erasure")
    content = await staff.get_bytes("vault", "certificate")
    (play.output / "certificate.json").write_bytes(content)
    (play.output / "certificate.pdf").write_bytes(await staff.get_bytes("vault", "certificate.pdf"))
    certificate: JsonObject = json.loads(content)
    return certificate
