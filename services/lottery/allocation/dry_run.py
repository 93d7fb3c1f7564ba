"""A dry run: the draw as it would be, with a throw-away key, to look at counts before the day. Nothing of it is kept.

It shows no entry, so nobody can pick a list, or a day, by its outcome; and the real key comes from elsewhere.
"""

import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any

from services.lottery.allocation.allocator import Allocation, allocate
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import Positions
from services.lottery.rules import ClassRule, Rules
from shared.campaign import Campaign


def dry_run(frozen: FrozenList, campaign: Campaign) -> dict[str, Any]:
    """Counts by class: places, entries that ask, winners and seats, waiting, and winners by group size."""
    classes = [ClassRule(each.id, each.capacity, each.starts, each.ends, each.waiting) for each in campaign.classes]
    rules = Rules(campaign.draw.max_wins, campaign.draw.preferences)
    allocation = allocate(secrets.token_bytes(32), frozen, classes, rules)
    asked = frozen.asked_for()
    return {
        "entries": len(frozen),
        "classes": [_class(frozen, allocation, rule, asked) for rule in classes],
        "without_place": len(frozen) - len({at for won in allocation.winners.values() for at in won.tolist()}),
    }


def _class(frozen: FrozenList, allocation: Allocation, rule: ClassRule, asked: Mapping[str, int]) -> dict[str, Any]:
    won = _by_size(frozen, allocation.winners[rule.id], rule.id)
    return {
        "id": rule.id,
        "capacity": rule.capacity,
        "asked": asked.get(rule.id, 0),
        "won": sum(won.values()),
        "seats": sum(size * count for size, count in won.items()),
        "waiting": len(allocation.waiting[rule.id]),
        "by_group_size": {str(size): count for size, count in sorted(won.items())},
    }


def _by_size(frozen: FrozenList, positions: Positions, name: str) -> Counter[int]:
    return Counter(dict(frozen.choices(int(at)))[name] for at in positions)
