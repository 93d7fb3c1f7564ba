"""Chance for tests: a rehearsal's chain with a known key, and acts of witnesses signed by the vault of the tests."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from deploy.relay.chain import RelayKey
from services.lottery.record.manifest import Manifest
from shared.campaign import Campaign
from shared.campaign.beacon_schedule import REHEARSAL, Schedule
from shared.campaign.model import Beacon
from shared.contracts import DiceEntered
from shared.dice_acts import DIGITS, DiceRole, DiceRule, write_dice_act
from shared.ids import CampaignId, DrawId
from shared.json_types import JsonObject
from shared.signing import SigningKey
from tests.support.executed_approvals import VAULT

RELAY: Final = RelayKey(777)
CHAIN: Final = Schedule(genesis=1_525_132_800, period=3)
"""Rounds from 1 May 2018 on, before the sample's draw."""

BEACON: Final = Beacon(chain=REHEARSAL, public_key=RELAY.public, genesis=CHAIN.genesis, period=CHAIN.period)
DICE: Final = "3141592653589793238462643383279502884197"
ROLES: Final[tuple[DiceRole, ...]] = ("ward", "auditor", "responsible")


def as_rehearsal(campaign: Campaign) -> Campaign:
    """Return the campaign as a rehearsal with the chain of the tests."""
    draw = campaign.draw.model_copy(update={"beacon": BEACON})
    return campaign.model_copy(update={"rehearsal": True, "draw": draw})


@lru_cache(256)
def value_of(round_number: int) -> str:
    """Return the chain's value of a round."""
    return RELAY.sign(round_number)


def acts_of(
    rule: DiceRule, digits: str = DICE, *, key: SigningKey = VAULT, at: datetime | None = None
) -> list[JsonObject]:
    """Return an act for each witness, a second apart. `at`: of the first; ten minutes before the round by default."""
    first = at or rule.round_at - timedelta(minutes=10)
    parts = [digits[start : start + DIGITS] for start in range(0, DIGITS * rule.witnesses, DIGITS)]
    return [act_of(rule, at, part, first + at * timedelta(seconds=1), key) for at, part in enumerate(parts)]


def act_of(rule: DiceRule, number: int, digits: str, at: datetime, key: SigningKey = VAULT) -> JsonObject:
    """Return the act of one witness."""
    act_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{rule.draw}/{number}"))
    return write_dice_act(key, act_id, rule, digits, ROLES[number], at)


def entered(manifest: Manifest, acts: Sequence[JsonObject]) -> list[DiceEntered]:
    """Return the vault's events for acts."""
    return [DiceEntered(campaign=CampaignId(manifest.campaign), draw=DrawId(manifest.draw), act=act) for act in acts]
