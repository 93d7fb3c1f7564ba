"""Collects results from each service, and checks that erased data is gone."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pypdfium2
from PIL import Image

from deploy.demo.application import DemoApplication
from deploy.demo.client import ApplicantClient
from deploy.demo.delivered import DeliveredText, read_cards, read_mailbox
from deploy.demo.facts import Facts, Invariant, Notice, Played, Status, VaultCount, is_drawn
from deploy.demo.installation import StaffClient
from deploy.demo.phases import EventRun, TakenApplications
from deploy.demo.published import PublishedFiles, published_checks
from deploy.people.invented import SECOND
from services.lottery.verification.roll_checks import check_roll
from services.lottery.verification.transcript_checks import read_transcript, verify_transcript
from shared.contracts import SERVICES, SlipOutcome
from shared.ids import ApplicationId
from shared.json_types import JsonObject
from shared.tlog import Note, NoteError, NoteKey, read_body, read_cosignature

_WITNESS_S: Final = 90.0
"""Longest wait for a cosignature; longer than the vault's pause between checkpoints."""

_LOOK_AGAIN_S: Final = 0.1

_COUNTED = ("issued", "delivered", "superseded", "rejected", "rejected_delivered")


async def facts(
    play: EventRun, taken: TakenApplications, desk: Mapping[ApplicationId, str], played: Played | None = None
) -> Facts:
    """Return all facts of the run. `played`: acts after the draw."""
    staff, sent = play.staff, taken.sent
    outcomes = await staff.get_all("lottery", "outcomes", "outcomes")
    notices = await staff.get_all("notifier", "notices", "notices")
    vault_key = await staff.signing_key()
    statuses, texts, checks = await asyncio.gather(
        _statuses(staff, sent), _texts(staff), asyncio.to_thread(_published_checks, play, taken, desk, vault_key)
    )
    return Facts(
        campaign=staff.at.campaign,
        sent=sent,
        statuses=statuses,
        desk=desk,
        outcomes={
            receipt: [SlipOutcome.model_validate(outcome) for outcome in listed] for receipt, listed in outcomes.items()
        },
        notices=[Notice(str(each["receipt"]), each["kind"], each["state"]) for each in notices],
        transcript_checks=checks,
        texts=texts,
        played=played or Played(),
        vault_count=await _vault_count(staff),
    )


def _published_checks(
    play: EventRun, taken: TakenApplications, desk: Mapping[ApplicationId, str], vault_key: str
) -> list[tuple[str, bool]]:
    """Check the published files, first by themselves, then against what the applicants hold."""
    transcript, rows, roll = (play.output / name for name in ("transcript.json", "rows.txt", "roll.txt"))
    files = PublishedFiles(*(path.read_text("utf-8") for path in (transcript, rows, roll)))
    content = read_transcript(transcript)
    drawn = {each.application_id for each in taken.sent if is_drawn(each, desk)}
    by_themselves = [*verify_transcript(content, vault_key=vault_key).checks, *check_roll(content, files.roll)]
    return [
        *((check.name, check.passed) for check in by_themselves),
        *published_checks(play.staff.at.campaign, files, taken.sent, taken.submitted, drawn),
    ]


async def _vault_count(staff: StaffClient) -> VaultCount:
    """Return the vault's own count of slips, which the lottery tells it past the notifier."""
    counted: JsonObject = await staff.get("vault", "notices")
    numbers = {name: int(counted[name]) for name in _COUNTED}
    return VaultCount(**numbers, differences=[str(missing["receipt"]) for missing in counted["differences"]])


async def _statuses(staff: StaffClient, sent: Sequence[DemoApplication]) -> dict[ApplicationId, Status]:
    """Return the statuses that intake's public address shows to the applicants."""
    async with ApplicantClient(staff.at.services["intake"].url, staff.at.campaign.id, trusted="") as client:

        async def read_status(application: DemoApplication) -> tuple[ApplicationId, Status]:
            shown = await client.status(application.application_id) or {"status": "absent"}
            return application.application_id, Status(
                shown["status"], frozenset(shown.get("reasons", [])), shown.get("receipt", "")
            )

        return dict(await asyncio.gather(*(read_status(application) for application in sent)))


async def _texts(staff: StaffClient) -> list[DeliveredText] | None:
    """Read every mail and every printed card; None where the mailbox is on another host."""
    if staff.at.mailbox is None:
        return None
    mails, cards = await asyncio.gather(asyncio.to_thread(read_mailbox, staff.at.mailbox), _cards(staff))
    return [*mails, *cards]


async def _cards(staff: StaffClient) -> list[DeliveredText]:
    """Read the batches one after the other: each is opened by an approval, and a person signs one at a time."""
    cards = list[DeliveredText]()
    for batch in await staff.get_all("vault", "print-batches", "batches"):
        if batch["pages"]:
            pdf = await staff.open_cards(batch["id"], SECOND)
            cards += await asyncio.to_thread(read_cards, batch["id"], pdf)
    return cards


async def summaries(staff: StaffClient) -> JsonObject:
    return {service: await staff.get(service, "summary") for service in SERVICES}


async def keep_postcard(staff: StaffClient, output: Path) -> Path:
    """Save both sides of one postcard as a picture; the person is invented."""
    batches = await staff.get_all("vault", "print-batches", "batches")
    largest = max(batches, key=lambda batch: int(batch["pages"]))
    content = await staff.open_cards(largest["id"], SECOND)
    path = output / "postcard.png"
    await asyncio.to_thread(_picture, content, path)
    return path


def _picture(content: bytes, path: Path) -> None:
    document = pypdfium2.PdfDocument(content)
    sides = [document[number].render(scale=300 / 72).to_pil() for number in (0, 1)]
    document.close()
    width, height = sides[0].size
    step = (0, height + 20) if width > height else (width + 20, 0)
    both = Image.new("RGB", (width + step[0] + 40, height + step[1] + 40), "#d8d8d8")
    for number, side in enumerate(sides):
        both.paste(side, (20 + number * step[0], 20 + number * step[1]))
    both.save(path)


async def cosigned(staff: StaffClient) -> Invariant:
    """Check that the witness cosigned the audit log's last checkpoint, which it does within seconds."""
    name = "the witness cosigned the last checkpoint of the audit log"
    ends = time.monotonic() + _WITNESS_S
    while True:
        log = await staff.audit_log()
        try:
            key = NoteKey.parse(log["witness_key"] or "")
            note = Note.parse(log["checkpoint"] or "")
            read_cosignature(note, key)
        except NoteError as error:
            if time.monotonic() > ends:
                return Invariant(name, False, str(error))
            await asyncio.sleep(_LOOK_AGAIN_S)
        else:
            return Invariant(name, log["cut"] is None, f"{read_body(note.body).size} lines, by {key.name}")


async def after_erasure(staff: StaffClient) -> list[Invariant]:
    """Check that key, pages, records and outcomes are gone after the erasure."""
    at = staff.at
    found: list[Invariant] = []
    if at.keystore is not None:
        left = [path.name for path in (at.keystore / "campaigns").glob("*.json")]
        found.append(
            Invariant("the campaign's key file is gone", not left, ", ".join(left) or "only a tombstone is left")
        )
    held = await staff.get("vault", "summary")
    people = sum(int(count) for count in held["applications"].values())
    found.append(Invariant("the vault's register is empty", people == 0, f"{people} applications left"))
    batches = await staff.get_all("vault", "print-batches", "batches")
    found.append(Invariant("no printed page is left", not batches, f"{len(batches)} batches left"))
    notices = await staff.get_all("notifier", "notices", "notices")
    outcomes = await staff.get_all("lottery", "outcomes", "outcomes")
    left_over = len(notices) + len(outcomes)
    found.append(Invariant("no notice and no outcome is left", left_over == 0, f"{left_over} left"))
    return found
