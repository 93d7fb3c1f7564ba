"""Small draws to test with: classes, entries, and a whole signed transcript."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.lottery.allocation import ClassRule, allocate
from services.lottery.entries import Entry
from services.lottery.manifest import Counted, Manifest, write_manifest
from services.lottery.randomness import Randomness, draw_key
from services.lottery.rows import write_rows
from services.lottery.transcript import history_event, write_transcript
from shared.campaign import Campaign, load_campaign
from shared.signing import SigningKey

DAY = datetime(2018, 6, 9, tzinfo=UTC)
SAMPLE = Path("deploy/campaigns/777-days.yaml")
DICE = "31415926535897932384626433832795028841971"[:40]


def class_rule(name: str, capacity: int, *, hour: int = 10, hours: int = 1, waiting: int = 3) -> ClassRule:
    starts = DAY + timedelta(hours=hour)
    return ClassRule(name, capacity, starts, starts + timedelta(hours=hours), waiting)


def entry(number: int, *choices: tuple[str, int]) -> Entry:
    return Entry(number.to_bytes(16, "big"), choices)


def sample_campaign() -> Campaign:
    return load_campaign(SAMPLE)


def sample_entries(count: int = 1500) -> list[Entry]:
    """Over two leaves of rows; asks for one to three of the sample's classes."""
    classes = sample_campaign().classes
    made = []
    for number in range(count):
        wanted = [classes[(number * 7 + step * 3) % len(classes)] for step in range(number % 3 + 1)]
        made.append(entry(number * 104729 + 1, *((each.id, each.seats[0]) for each in wanted)))
    return made


def sample_transcript(count: int = 1500, signing: SigningKey | None = None) -> dict[str, Any]:
    signing = signing or SigningKey.generate()
    rows = write_rows(sample_entries(count))
    entries = sorted(sample_entries(count), key=lambda each: each.id)
    line = write_manifest(sample_campaign(), rows, entries, Counted({"web": count}, {"grade": 3}), DAY, None)
    manifest, randomness = Manifest.read(line), Randomness(dice=DICE)
    key = draw_key(line, randomness)
    frozen = history_event("frozen", DAY, None)
    return write_transcript(
        manifest=line,
        signature=signing.sign(line.encode()),
        rows=rows,
        randomness=randomness,
        witnesses=["立会人一", "立会人二"],
        key=key,
        allocation=allocate(key, entries, manifest.classes, manifest.rules),
        history=[frozen, history_event("drawn", DAY, frozen)],
        signing=signing,
    )
