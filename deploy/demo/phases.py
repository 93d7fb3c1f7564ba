"""The event from the first application to the certificate, one function per phase, as staff would go through it."""

import asyncio
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyrage

from deploy.demo.application import DemoApplication
from deploy.demo.chance import wait_for_round
from deploy.demo.client import ApplicantClient, SubmittedApplication
from deploy.demo.installation import StaffClient
from deploy.demo.papers import DemoPaper, papers_of
from deploy.demo.progress import PhaseBar
from deploy.demo.rehearsal import until
from deploy.people.invented import RESPONSIBLE, SECOND, WARD
from shared.clock import RehearsalClock, set_rehearsal_clock
from shared.ids import ApplicationId, PaperId
from shared.json_types import JsonObject

TIMEOUT_S = float(os.environ.get("KUJI_DEMO_PATIENCE_S", "120"))
"""Longest wait for a phase, seconds; a busy machine may need more."""

_KEYED_AT_ONCE = 4
"""Papers."""

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


@dataclass(frozen=True)
class TakenApplications:
    """Applications as they are known after they were taken, and those that their applicants sent themselves.

    An application that a handler keyed from a paper has the id that the vault made for it.
    """

    sent: Sequence[DemoApplication]
    submitted: Mapping[ApplicationId, SubmittedApplication]


async def take_applications(
    play: EventRun, applications: Sequence[DemoApplication], bar: PhaseBar
) -> TakenApplications:
    """Seal as outside clients do and post over HTTP, until each has its receipt; key the papers.

    Second applications of the same person are sent when all first ones are judged, as they come in life.
    """
    at = play.staff.at
    trusted, paper_token = await play.staff.signing_key(), at.paper_token_file.read_text("utf-8").strip()
    client = ApplicantClient(at.services["intake"].url, at.campaign.id, trusted=trusted, paper_token=paper_token)
    sent, submitted = list[DemoApplication](), dict[ApplicationId, SubmittedApplication]()
    async with client:
        first = [application for application in applications if application.twin is None]
        again = [application for application in applications if application.twin is not None]
        for wave in (first, again):
            taken = await _take_wave(play, client, wave, bar)
            sent += taken.sent
            submitted |= taken.submitted
            if again and wave is first:
                await await_verdicts(play, len(sent))
    return TakenApplications(sent, submitted)


async def _take_wave(
    play: EventRun, client: ApplicantClient, wave: Sequence[DemoApplication], bar: PhaseBar
) -> TakenApplications:
    papers = papers_of(wave, RehearsalClock(play.staff.at.clock_file).now())
    by_web = [application for application in wave if application.channel == "web"]
    async with asyncio.TaskGroup() as group:
        keying = group.create_task(_send_and_key(play, client, papers, bar))
        submitting = group.create_task(client.submit(by_web, done=lambda _: bar.step()))
    submitted = {taken.application_id: taken for taken in submitting.result()}
    return TakenApplications([*by_web, *keying.result()], submitted)


async def _send_and_key(
    play: EventRun, client: ApplicantClient, papers: Sequence[DemoPaper], bar: PhaseBar
) -> list[DemoApplication]:
    """Send papers as an edge tool does, key each as two handlers do once it is there; return what the vault made."""
    if not papers:
        return []
    await client.submit_papers(papers)
    waiting, at_once = {paper.paper_id: paper for paper in papers}, asyncio.Semaphore(_KEYED_AT_ONCE)

    async def key(paper: DemoPaper) -> list[DemoApplication]:
        async with at_once:
            keyed = await _key_twice(play, paper)
        bar.step(len(keyed))
        return keyed

    async with asyncio.TaskGroup() as group:
        keying = list[asyncio.Task[list[DemoApplication]]]()
        while waiting:
            arrived = await until(lambda: _arrived(play, waiting), bool, within_s=TIMEOUT_S, what="papers at the vault")
            keying += [group.create_task(key(waiting.pop(name))) for name in arrived]
    return [application for task in keying for application in task.result()]


async def _key_twice(play: EventRun, paper: DemoPaper) -> list[DemoApplication]:
    body = {"decision": "keyed", "applications": [application.form for application in paper.applications]}
    await _key_paper(play.staff.by(SECOND), paper.paper_id, body)
    made = await _key_paper(play.staff, paper.paper_id, body)
    return [
        replace(application, application_id=ApplicationId(name), code=None)
        for application, name in zip(paper.applications, made["application_ids"], strict=True)
    ]


async def _key_paper(handler: StaffClient, paper_id: str, body: JsonObject) -> JsonObject:
    """Key a paper and return the answer. A vault that starts again is asked again; the same keying changes nothing."""

    async def key() -> JsonObject:
        answer: JsonObject = await handler.post("vault", f"papers/{paper_id}", body)
        return answer

    return await until(key, bool, within_s=TIMEOUT_S, what="keying")


async def _arrived(play: EventRun, waiting: Collection[PaperId]) -> set[PaperId]:
    """Return those that the vault has, of the papers that are waited for."""
    return {paper["id"] for paper in (await play.staff.get("vault", "papers"))["papers"]} & set(waiting)


async def await_verdicts(play: EventRun, count: int, bar: PhaseBar | None = None) -> JsonObject:
    """Wait until the vault has judged `count` applications; return its summary. `bar` shows how many it has."""

    async def ask() -> JsonObject:
        summary: JsonObject = await play.staff.get("vault", "summary")
        if bar is not None:
            bar.to(_decided(summary))
        return summary

    return await until(ask, lambda s: _decided(s) >= count, within_s=TIMEOUT_S, what="verdicts of the vault")


def _decided(summary: JsonObject) -> int:
    return sum(map(int, summary["applications"].values()))


async def decide_held(play: EventRun, bar: PhaseBar) -> dict[ApplicationId, str]:
    """Decide each held application as staff would: each fifth is a namesake, the others are duplicates."""
    decided: dict[ApplicationId, str] = {}
    while (listed := await play.staff.get("vault", "held"))["held"]:
        bar.to(len(decided), len(decided) + listed["waiting"])
        for item in sorted(listed["held"], key=lambda each: str(each["application_id"])):
            decision, reason = ("reject", "duplicate") if len(decided) % NAMESAKES else ("accept", "namesake")
            body = {"decision": decision, "reason": reason}
            await play.staff.post("vault", f"held/{item['application_id']}", body)
            decided[ApplicationId(item["application_id"])] = decision
            bar.step()
    return decided


async def freeze(play: EventRun) -> JsonObject:
    """Time passes to the draw; the list freezes by schedule once the roll of receipts agrees with the verdicts."""
    play.jump(play.staff.at.campaign.draw.at + timedelta(seconds=1))
    return await _draw_state(play, {"frozen"}, "the freeze of the list")


async def draw(play: EventRun) -> JsonObject:
    """Move to the beacon's round, whose value decides the draw, and wait until the results are published."""
    await wait_for_round(play.staff)
    return await _draw_state(play, {"published"}, "the draw")


async def _draw_state(play: EventRun, states: set[str], what: str) -> JsonObject:
    async def ask() -> JsonObject:
        state: JsonObject = await play.staff.get("lottery", "draw")
        return state

    return await until(ask, lambda draw: draw["state"] in states, within_s=TIMEOUT_S, what=what)


async def keep_published(play: EventRun) -> Path:
    """Keep what the lottery publishes, transcript, rows and roll; return the transcript's path."""
    for name, file in (("transcript", "transcript.json"), ("rows", "rows.txt"), ("roll", "roll.txt")):
        (play.output / file).write_bytes(await play.staff.get_bytes("lottery", name))
    return play.output / "transcript.json"


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
