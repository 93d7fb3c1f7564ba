"""History of places after the draw: the page and `./kuji verify` judge every right or changed history alike."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.promotion.corrections import compute_correction, format_entry_choices
from services.lottery.promotion.history import chain_events
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent
from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import read_rows
from services.lottery.record.transcript import sign_transcript
from services.lottery.verification.transcript_checks import derive_key, verify_transcript
from shared.campaign import Campaign
from shared.campaign.model import DrawRules
from shared.signing import SigningKey
from tests.support.draw_builders import entry, sample_campaign, transcript_of
from tests.support.node_programs import Ask
from tests.support.places_model import BEFORE_IT_ALL, Town, live

SIGNING = SigningKey.generate()
PLACES = "places after the draw"


def some_campaign(chance: random.Random) -> Campaign:
    """Three classes within three hours, few seats, everybody may wait."""
    base = sample_campaign()
    classes = tuple(
        each.model_copy(update={
            "capacity": chance.randint(1, 6),
            "seats": (1,),
            "waiting": 8,
            "starts": (starts := base.classes[0].starts + timedelta(hours=chance.randint(0, 2))),
            "ends": starts + timedelta(hours=1),
        })
        for each in base.classes[:3]
    )  # fmt: skip
    hold = chance.choice([None, BEFORE_IT_ALL + timedelta(days=chance.randint(1, 10))])
    return base.model_copy(update={
        "classes": classes,
        "draw": DrawRules(**{**base.draw.model_dump(), "max_wins": chance.randint(1, 2), "preferences": True}),
        "offers": base.offers.model_copy(update={"hours": chance.choice([0, 24, 72]), "until": None}),
        "reception": base.reception.model_copy(update={"hold_until": hold}),
    })  # fmt: skip


def drawn_town(seed: int) -> tuple[dict[str, Any], Town]:
    """Return a transcript and the town that it describes."""
    chance = random.Random(seed)  # noqa: S311  (cases, not secrets)
    campaign = some_campaign(chance)
    names = [each.id for each in campaign.classes]
    entries = [
        entry(
            chance.getrandbits(120),
            *((name, chance.randint(1, 3)) for name in chance.sample(names, chance.randint(1, 3))),
        )
        for _ in range(chance.randint(4, 20))
    ]
    content = transcript_of(campaign, entries, SIGNING)
    manifest = Manifest.read(content["manifest"])
    rules = manifest.rules.max_wins, manifest.promotion
    return content, Town(manifest.classes, *rules, read_rows(content["rows"]), derive_key(content))


def with_steps(content: dict[str, Any], steps: Sequence[PlaceEvent]) -> dict[str, Any]:
    """Sign the transcript again, as a holder of the key could."""
    history = [*content["history"], *chain_events(steps, content["history"][-1])]
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"}
    return sign_transcript({**unsigned, "history": history}, SIGNING)


def lived(seed: int) -> tuple[dict[str, Any], Town]:
    content, town = drawn_town(seed)
    live(town, seed)
    return content, town


def compared(verifier: Ask, contents: list[dict[str, Any]], entry_id: str | None = None) -> list[dict[str, Any]]:
    """Return the page's answers; compare each with the checks in Python."""
    question = {"contents": contents, "rows": None, "published": None, "entry": entry_id}
    answers: list[dict[str, Any]] = verifier("verify", question)
    for content, answer in zip(contents, answers, strict=True):
        assert answer["checks"] == [[check.name, check.passed] for check in verify_transcript(content).checks]
    return answers


def test_histories_that_were_right_hold(verifier: Ask):
    seen: set[Move] = set()
    contents = []
    for seed in range(30):
        content, town = lived(seed)
        seen |= {step.move for step in town.steps}
        contents.append(with_steps(content, town.steps))
    for answer in compared(verifier, contents):
        assert answer["checks"][-1] == [PLACES, True]
    assert seen == set(Move) - {Move.CORRECTED}


def bent(chance: random.Random, town: Town) -> list[PlaceEvent]:
    """Change one event of the history, leave it out, or replace its facts."""
    steps = list(town.steps)
    at = chance.randrange(len(steps))
    step, others = steps[at], [each.id.hex() for each in town.entries]
    hour, tick = timedelta(hours=1), timedelta(microseconds=1)
    ways: list[list[PlaceEvent]] = [
        [],
        [step, step],
        [replace(step, entry=chance.choice(others))],
        [replace(step, entry="0" * 32)],
        [replace(step, class_id=chance.choice(town.classes).id)],
        [replace(step, class_id="none")],
        [replace(step, seats=step.seats + 1)],
        [replace(step, at=step.at + chance.choice([hour * 900, -hour, tick]))],
        [replace(step, past=(*step.past, chance.choice(others)))],
        [replace(step, past=step.past[1:])],
        [replace(step, reason=chance.choice(["present", "limit", "clash", "other"]))],
        [replace(step, move=chance.choice([move for move in Move if move is not Move.CORRECTED]))],
        [replace(step, answer_by=(step.answer_by or step.at) + tick)],
    ]
    steps[at : at + 1] = chance.choice(ways)
    return steps


def test_bent_histories_are_found_out_exactly_where_python_does(verifier: Ask):
    contents = []
    for seed in range(70):
        content, town = lived(seed % 12)
        if town.steps:
            contents.append(with_steps(content, bent(random.Random(seed), town)))  # noqa: S311  (cases, not secrets)
    verdicts = [answer["checks"][-1][1] for answer in compared(verifier, contents)]
    assert verdicts.count(False) > len(contents) / 2


def corrected(content: dict[str, Any], town: Town, number: int) -> list[PlaceEvent]:
    """Add one person with the result that the draw would have given."""
    late = entry(number, *((rule.id, 1) for rule in town.classes))
    manifest, end = Manifest.read(content["manifest"]), town.after_the_draw()
    given = compute_correction(town.key, FrozenList.of(town.entries), late, town.classes, manifest.rules).given
    steps = []
    for name, state in given.items():
        extra = end.extra_needed(name, 1) if state is PlaceState.HELD else 0
        facts = {"state": state, "extra": extra, "choices": format_entry_choices(late)}
        steps.append(PlaceEvent(Move.CORRECTED, BEFORE_IT_ALL, "wrongly-refused", late.id.hex(), name, 1, **facts))
        end.apply(steps[-1])
    return steps


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"state": PlaceState.GONE},
        {"extra": 5},
        {"choices": "none:1"},
        {"choices": ""},
        {"seats": 2},
    ],
    ids=str,
)
def test_a_correction_gives_what_the_draw_would_have_given_and_nothing_else(verifier: Ask, change: dict[str, Any]):
    contents = []
    for seed in range(8):
        content, town = drawn_town(seed)
        steps = corrected(content, town, seed + 2)
        if steps:
            contents.append(with_steps(content, [replace(steps[0], **change), *steps[1:]]))
    assert len(contents) > 3
    for answer in compared(verifier, contents):
        assert all(passed for _, passed in answer["checks"]) == (change == {})


def test_nobody_who_was_in_the_draw_is_added_to_it(verifier: Ask):
    content, town = drawn_town(3)
    steps = corrected(content, town, 9)
    again = [replace(step, entry=town.entries[0].id.hex()) for step in steps]
    [answer] = compared(verifier, [with_steps(content, again)])
    assert steps
    assert answer["checks"][-1] == [PLACES, False]


def test_a_correction_leaves_nothing_out_and_is_one_application(verifier: Ask):
    """Each class by itself would be right; left out, or asked for by itself, it is not."""
    left_out, by_itself = [], []
    for seed in range(40):
        content, town = drawn_town(seed)
        steps = corrected(content, town, seed + 2)
        if len(steps) > 1:
            left_out.append(with_steps(content, steps[:1]))
        alone = [replace(step, choices=f"{step.class_id}:1") for step in steps]
        if len(alone) > 1:
            by_itself.append(with_steps(content, alone))
    assert len(left_out) > 2
    for answer in compared(verifier, [*left_out, *by_itself]):
        assert answer["checks"][-1] == [PLACES, False]
