"""Dry run: a draw with a throw-away key, for its counts. Nothing of it is stored.

The result names no entry, so staff cannot choose a list or a day by its outcome. The real key comes from elsewhere.
"""

import secrets
from collections import Counter
from collections.abc import Mapping

from services.lottery.allocation.allocator import Allocation, allocate
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import Positions
from services.lottery.rules import ClassRule, Rules
from shared.campaign import Campaign
from shared.json_types import JsonObject


def dry_run(frozen: FrozenList, campaign: Campaign) -> JsonObject:
    """Return counts by class: capacity, entries that chose it, winners and seats, waiting, winners by group size."""
    classes = [ClassRule(one.id, one.capacity, one.starts, one.ends, one.waiting) for one in campaign.classes]
    rules = Rules(campaign.draw.max_wins, campaign.draw.preferences)
    allocation = allocate(secrets.token_bytes(32), frozen, classes, rules)
    chosen = frozen.count_by_class()
    return {
        "entries": len(frozen),
        "classes": [_class_counts(frozen, allocation, rule, chosen) for rule in classes],
        "without_place": len(frozen) - len({at for won in allocation.winners.values() for at in won.tolist()}),
    }


def _class_counts(frozen: FrozenList, allocation: Allocation, rule: ClassRule, chosen: Mapping[str, int]) -> JsonObject:
    won = _by_size(frozen, allocation.winners[rule.id], rule.id)
    return {
        "id": rule.id,
        "capacity": rule.capacity,
        "asked": chosen.get(rule.id, 0),
        "won": sum(won.values()),
        "seats": sum(size * count for size, count in won.items()),
        "waiting": len(allocation.waiting[rule.id]),
        "by_group_size": {str(size): count for size, count in sorted(won.items())},
    }


def _by_size(frozen: FrozenList, positions: Positions, name: str) -> Counter[int]:
    return Counter(dict(frozen.choices(int(at)))[name] for at in positions)
