"""A small town after its draw, and its office: moves are tried as chance asks, and kept where the rules allow them."""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.reference_allocator import allocate_entry_by_entry
from services.lottery.promotion.corrections import compute_correction, corrections_hold, format_entry_choices
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import InvalidMoveError, PlaceEvent, WaitingLists, add_draw_result
from services.lottery.rules import ClassRule, PromotionRules, Rules
from tests.support.draw_builders import DAY, class_rule, entry

BEFORE_IT_ALL = DAY - timedelta(days=20)


@dataclass
class Town:
    classes: tuple[ClassRule, ...]
    max_wins: int
    rules: PromotionRules
    entries: list[Entry]
    key: bytes = bytes(32)
    steps: list[PlaceEvent] = field(default_factory=list)
    preferences: bool = True
    refused: list[Entry] = field(default_factory=list)
    """Received in time and kept out of the draw; some are corrected."""

    def after_the_draw(self) -> WaitingLists:
        result = allocate_entry_by_entry(self.key, self.entries, self.classes, Rules(self.max_wins, self.preferences))
        lists = WaitingLists({rule.id: rule for rule in self.classes}, self.max_wins, self.rules)
        return add_draw_result(
            {name: [e.hex() for e in ids] for name, ids in result.winners.items()},
            {name: [e.hex() for e in ids] for name, ids in result.waiting.items()},
            {(each.id.hex(), name): seats for each in self.entries for name, seats in each.choices},
            lists,
        )


def random_town(seed: int) -> Town:
    chance = random.Random(seed)  # noqa: S311  (a town for a test)
    classes = tuple(
        class_rule(f"c{n}", chance.randint(1, 6), hour=chance.choice([9, 10, 11]), waiting=8) for n in range(3)
    )
    entries = [
        entry(
            chance.getrandbits(100) + 1,
            *((f"c{n}", chance.randint(1, 3)) for n in chance.sample(range(3), chance.randint(1, 3))),
        )
        for _ in range(chance.randint(4, 20))
    ]
    hold = chance.choice([None, BEFORE_IT_ALL + timedelta(days=chance.randint(1, 10))])
    rules = PromotionRules(hold, chance.choice([0, 24, 72]), None)
    refused = [entry(chance.getrandbits(100) + 1, ("c0", 1), ("c1", 2)) for _ in range(2)]
    return Town(classes, chance.randint(1, 2), rules, entries, chance.randbytes(32), refused=refused)


def live(town: Town, seed: int, days: int = 25) -> WaitingLists:
    """People give up, answer or stay silent; the office asks whoever is next. What happened is in `town.steps`."""
    chance, lists, at = random.Random(seed), town.after_the_draw(), BEFORE_IT_ALL  # noqa: S311
    for _ in range(days * 4):
        at += timedelta(hours=chance.randint(1, 12))
        if not lists.places:
            continue
        for step in (*_silent(lists, at), *_said(lists, chance, at)):
            try_step(town, lists, step)
        if town.refused and chance.random() < 0.05:
            _correct(town, lists, town.refused.pop(), at)
        _pass_on(town, lists, at)
    return lists


def try_step(town: Town, lists: WaitingLists, step: PlaceEvent) -> bool:
    """Apply the step; return True if the rules allow it."""
    try:
        lists.apply(step)
    except InvalidMoveError:
        return False
    town.steps.append(step)
    return True


def _correct(town: Town, lists: WaitingLists, refused: Entry, at: datetime) -> None:
    frozen = FrozenList.of(sorted(town.entries, key=lambda each: each.id))
    given = compute_correction(town.key, frozen, refused, town.classes, Rules(town.max_wins, town.preferences)).given
    for name, seats in refused.choices:
        if name in given:
            extra = lists.extra_needed(name, seats) if given[name] is PlaceState.HELD else 0
            step = PlaceEvent(Move.CORRECTED, at, "wrongly-refused", refused.id.hex(), name, seats)
            step = replace(step, state=given[name], extra=extra, choices=format_entry_choices(refused))
            assert try_step(town, lists, step)
    steps = [step for step in town.steps if step.entry == refused.id.hex()]
    assert not steps or corrections_hold(
        town.key, town.entries, town.classes, Rules(town.max_wins, town.preferences), steps
    )


def _pass_on(town: Town, lists: WaitingLists, at: datetime) -> None:
    for (entry_id, _), place in list(lists.places.items()):
        if place.state is PlaceState.HELD:
            for name, why in lists.impossible(entry_id):
                seats = lists.places[entry_id, name].seats
                assert try_step(town, lists, PlaceEvent(Move.PASSED_OVER, at, why, entry_id, name, seats))
    for rule in town.classes:
        while (turn := lists.turn(rule.id, at)) is not None:
            promoted = PlaceEvent(Move.PROMOTED, at, "", turn.entry, turn.class_id, turn.seats, past=turn.past)
            if town.rules.offer_hours:
                promoted = replace(promoted, move=Move.OFFERED, answer_by=town.rules.answer_by(rule, at))
            assert try_step(town, lists, promoted)


def _silent(lists: WaitingLists, at: datetime) -> list[PlaceEvent]:
    return [
        PlaceEvent(Move.EXPIRED, at, "", entry_id, name, place.seats)
        for (entry_id, name), place in lists.places.items()
        if place.answer_by is not None and at >= place.answer_by
    ]


def _said(lists: WaitingLists, chance: random.Random, at: datetime) -> list[PlaceEvent]:
    """Return the events of one person's action; the rules do not allow all of them."""
    (entry_id, name), place = chance.choice(sorted(lists.places.items()))
    move = chance.choice([Move.WITHDRAWN, Move.ACCEPTED, Move.DECLINED, Move.RELEASED, Move.PROMOTED])
    if move is not Move.PROMOTED:
        return [PlaceEvent(move, at, "no-show" if move is Move.RELEASED else "", entry_id, name, place.seats)]
    try:
        turn = lists.present(entry_id, name, at)
    except InvalidMoveError:
        return []
    return [PlaceEvent(move, at, "present", entry_id, name, turn.seats, past=turn.past)]
