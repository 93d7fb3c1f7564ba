"""Draws with a further round after them, made from nothing but the pure rules."""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.promotion.further_round import (
    GIVEN_UP,
    EntryPlaces,
    Participation,
    places_left,
    seats_to_draw,
)
from services.lottery.promotion.history import chain_events, read_place_events
from services.lottery.promotion.replay import replay_history
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent, WaitingLists
from services.lottery.randomness.rounds import choose_round
from services.lottery.randomness.sources import Randomness, draw_key
from services.lottery.record.further_member import Further
from services.lottery.record.manifest import (
    EntryCounts,
    Freeze,
    Manifest,
    Previous,
    receipts_of,
    write_manifest,
)
from services.lottery.record.rows import read_rows
from services.lottery.record.taken_over import held_classes, write_places
from services.lottery.record.transcript import make_history_event, sign_transcript, write_transcript
from services.lottery.verification.transcript_checks import derive_key
from shared.campaign import Campaign
from shared.canonical import canonical
from shared.signing import SigningKey
from tests.support.chance import DICE, acts_of, value_of
from tests.support.draw_builders import FROZEN, sample_roll
from tests.support.executed_approvals import VAULT

Transcript = Mapping[str, Any]

LATER = FROZEN + timedelta(days=10)
"""When places move after the first draw; each draw after it comes two days later."""


def places_after(content: Transcript) -> WaitingLists:
    """Return the places after a transcript's history."""
    manifest = Manifest.read(content["manifest"])
    return replay_history(content, manifest, read_rows(content["rows"]), derive_key(content))


def with_moves(content: Transcript, signing: SigningKey, chance: random.Random, share: float = 0.5) -> Transcript:
    """Return the transcript after a `share` of all entries gave all their places up, waiting ones first."""
    lists, at = places_after(content), LATER + timedelta(days=2 * _number(content) + 1)
    order = {PlaceState.WAITING: 0, PlaceState.HELD: 1}
    leaving = [one for one in sorted(lists.places) if chance.random() < share]
    events = list[PlaceEvent]()
    for entry, name in sorted(leaving, key=lambda one: (order.get(lists.places[one].state, 2), one)):
        place = lists.places[entry, name]
        if place.state is PlaceState.GONE:
            continue
        event = PlaceEvent(Move.WITHDRAWN, at, "applicant", entry, name, place.seats)
        lists.apply(event)
        events += [event, *lists.passed_over(entry, at)]
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"}
    history = [*content["history"], *chain_events(events, content["history"][-1])]
    return sign_transcript({**unsigned, "history": history}, signing)


def add_round(
    campaign: Campaign,
    earlier: Sequence[Transcript],
    signing: SigningKey,
    eligible: Mapping[bytes, tuple[tuple[str, int], ...]] | None = None,
    dice: str = DICE[::-1],
) -> Transcript:
    """Return the transcript of a further round after these draws, oldest first, by the campaign's setting."""
    before, last = places_after(earlier[-1]), earlier[-1]
    manifest, number = Manifest.read(last["manifest"]), len(earlier) + 1
    at, places = LATER + timedelta(days=2 * number), places_left(before)
    free = seats_to_draw(
        manifest.classes,
        {rule.id: before.free(rule.id) for rule in manifest.classes},
        {rule.id: len(list(before.waiting(rule.id))) for rule in manifest.classes},
        at,
    )
    held, given_up = held_classes(places), _given_up(earlier)
    classes = {rule.id: rule for rule in manifest.classes}
    taking_part = Participation(classes, manifest.rules, campaign.draw.further_round, free)
    listed = list[Entry]()
    for entry in read_rows(earlier[0]["rows"]):
        own = EntryPlaces(held.get(entry.id, frozenset()), given_up.get(entry.id, frozenset()))
        if choices := taking_part.choices(entry.choices, (eligible or {}).get(entry.id, ()), own):
            listed.append(Entry(entry.id, choices))
    return _transcript(campaign, listed, last, signing, write_places(places), free, at, number, dice, before.extra)


def _transcript(
    campaign: Campaign, listed: Sequence[Entry], last: Transcript, signing: SigningKey, places: str,
    free: Mapping[str, int], at: Any, number: int, dice: str, extra: Mapping[str, int],
) -> Transcript:  # fmt: skip
    named, line_hash = Manifest.read(last["manifest"]).draw, hashlib.sha256(last["manifest"].encode()).hexdigest()
    last_event = hashlib.sha256(canonical(last["history"][-1])).hexdigest()
    further = Further(
        campaign.draw.further_round, named, line_hash, last_event, receipts_of(places), dict(free), dict(extra)
    )
    previous = Previous(named, line_hash, "places-free", "handler", "responsible")
    frozen = FrozenList.of(listed)
    line = write_manifest(
        campaign,
        frozen,
        receipts_of(sample_roll(len(listed) + 3)),
        EntryCounts({"web": len(listed)}, {}),
        Freeze(at, choose_round(campaign, number, at), number=number, previous=previous, further=further),
        VAULT.public,
    )
    manifest, opening = Manifest.read(line), make_history_event("frozen", at, None)
    acts, chance = acts_of(manifest.dice_rule, dice), Randomness(dice, value_of(manifest.beacon.round))
    key = draw_key(line, chance)
    held = {entry.id: names for entry in listed if (names := _held(places, entry.id))}
    return write_transcript(
        manifest=line,
        signature=signing.sign(line.encode()),
        frozen=frozen,
        randomness=chance,
        acts=acts,
        evidence=[],
        key=key,
        allocation=allocate(key, frozen, manifest.drawn_classes, manifest.rules, held),
        history=[opening, make_history_event("drawn", at, opening)],
        signing=signing,
        places=places,
    )


def _held(places: str, entry: bytes) -> frozenset[str]:
    lines = (line.split() for line in places.splitlines())
    return frozenset(name for name, position, one, _ in lines if (position, one) == ("0", entry.hex()))


def _given_up(earlier: Sequence[Transcript]) -> dict[bytes, frozenset[str]]:
    gone: dict[bytes, frozenset[str]] = {}
    for event in (event for one in earlier for event in read_place_events(one["history"])):
        if event.move in GIVEN_UP:
            entry = bytes.fromhex(event.entry)
            gone[entry] = gone.get(entry, frozenset()) | {event.class_id}
    return gone


def _number(content: Transcript) -> int:
    return int(json.loads(content["manifest"])["draw"].rpartition("-")[2])
