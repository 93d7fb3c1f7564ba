"""Small draws to test with: classes, entries, and a whole signed transcript."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from services.lottery.allocation.allocator import LostReason, allocate
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.reference_allocator import ReferenceAllocation
from services.lottery.allocation.tickets import Positions
from services.lottery.randomness.rounds import choose_round
from services.lottery.randomness.sources import Randomness, draw_key
from services.lottery.record.manifest import EntryCounts, Freeze, Manifest, receipts_of, write_manifest
from services.lottery.record.transcript import make_history_event, write_transcript
from services.lottery.rules import ClassRule, Rules
from shared.campaign import Campaign, load_campaign
from shared.receipt_documents import write_roll
from shared.signing import SigningKey
from tests.support.chance import DICE, acts_of, as_rehearsal, value_of
from tests.support.executed_approvals import VAULT

DAY = datetime(2018, 6, 9, tzinfo=UTC)
FROZEN = DAY - timedelta(days=30)
SAMPLE = Path("deploy/campaigns/777-days.yaml")


def class_rule(name: str, capacity: int, *, hour: int = 10, hours: int = 1, waiting: int = 3) -> ClassRule:
    starts = DAY + timedelta(hours=hour)
    return ClassRule(name, capacity, starts, starts + timedelta(hours=hours), waiting)


def entry(number: int, *choices: tuple[str, int]) -> Entry:
    return Entry(number.to_bytes(16, "big"), choices)


def allocated(
    key: bytes,
    entries: Sequence[Entry],
    classes: Sequence[ClassRule],
    rules: Rules,
    held: Mapping[bytes, frozenset[str]] = MappingProxyType({}),
) -> ReferenceAllocation:
    """Return the allocator's result in ids, to compare it with the reference allocator's."""
    frozen = FrozenList.of(sorted(entries, key=lambda each: each.id))
    result = allocate(key, frozen, classes, rules, held)

    def ids(positions: Positions) -> tuple[bytes, ...]:
        return tuple(frozen.id(int(at)) for at in positions)

    winners = {name: ids(won) for name, won in result.winners.items()}
    waiting = {name: ids(waits) for name, waits in result.waiting.items()}
    lost: dict[bytes, dict[str, LostReason]] = {}
    order = ids(result.order.run(0, len(frozen)))
    for at, each in enumerate(frozen.entries()):
        for name, seats in each.choices:
            if each.id not in winners[name] and each.id not in waiting[name]:
                lost.setdefault(each.id, {})[name] = result.lost(at, order.index(each.id) + 1, name, seats)
    return ReferenceAllocation(order, winners, waiting, lost)


def sample_campaign() -> Campaign:
    """Return the sample as a rehearsal with the chain of the tests."""
    return as_rehearsal(load_campaign(SAMPLE))


def sample_entries(count: int = 1500) -> list[Entry]:
    """Return entries for two leaves of rows, which ask for one to three of the sample's classes."""
    classes = sample_campaign().classes
    made = []
    for number in range(count):
        wanted = [classes[(number * 7 + step * 3) % len(classes)] for step in range(number % 3 + 1)]
        made.append(entry(number * 104729 + 1, *((each.id, each.seats[0]) for each in wanted)))
    return made


def sample_roll(count: int) -> str:
    """Return a roll of so many receipts, whose lines are of no real documents."""
    return write_roll(hashlib.sha256(str(number).encode()).hexdigest() for number in range(count))


def sample_transcript(count: int = 1500, signing: SigningKey | None = None) -> dict[str, Any]:
    return transcript_of(sample_campaign(), sample_entries(count), signing or SigningKey.generate())


def transcript_of(
    campaign: Campaign,
    entries: Sequence[Entry],
    signing: SigningKey,
    *,
    beacon: tuple[int, str] | None = None,
    frozen_at: datetime = FROZEN,
) -> dict[str, Any]:
    """Return the signed transcript of a draw with witnesses. `beacon`: round and signature of another chain."""
    beacon_round = beacon[0] if beacon else choose_round(campaign, 2, frozen_at)
    beacon_signature = beacon[1] if beacon else value_of(beacon_round)
    frozen = FrozenList.of(sorted(entries, key=lambda each: each.id))
    line = write_manifest(
        campaign,
        frozen,
        receipts_of(sample_roll(len(entries) + 3)),
        EntryCounts({"web": len(entries)}, {"grade": 3}),
        Freeze(frozen_at, beacon_round),
        VAULT.public,
    )
    manifest = Manifest.read(line)
    acts = acts_of(manifest.dice_rule) if manifest.uses_dice else []
    randomness = Randomness(DICE if acts else None, beacon_signature)
    key = draw_key(line, randomness)
    opening = make_history_event("frozen", frozen_at, None)
    return write_transcript(
        manifest=line,
        signature=signing.sign(line.encode()),
        frozen=frozen,
        randomness=randomness,
        acts=acts,
        evidence=[],
        key=key,
        allocation=allocate(key, frozen, manifest.classes, manifest.rules),
        history=[opening, make_history_event("drawn", frozen_at, opening)],
        signing=signing,
    )
