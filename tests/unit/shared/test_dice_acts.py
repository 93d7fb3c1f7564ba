"""Digits of witnesses as acts: written by the vault up to 30 seconds before the round, and for one manifest only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.dice_acts import DiceRole, DiceRule, InvalidDiceActsError, read_dice, write_dice_act
from shared.ids import CampaignId, DrawId
from shared.json_types import JsonObject
from shared.signing import SigningKey

KEY = SigningKey.generate()
ROUND_AT = datetime(2026, 6, 1, 10, 0, 3, tzinfo=UTC)
RULE = DiceRule(CampaignId("777-days"), DrawId("777-days-1"), "ab" * 32, 2, ROUND_AT)
ONE, OTHER = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))


def act(act_id: str, digit: str, before: timedelta, role: DiceRole = "ward") -> JsonObject:
    return write_dice_act(KEY, act_id, RULE, digit * 20, role, ROUND_AT - before)


def test_digits_follow_the_times_of_the_acts_and_then_their_ids() -> None:
    early, late = act(OTHER, "1", timedelta(minutes=9)), act(ONE, "2", timedelta(seconds=30), "auditor")
    assert read_dice(KEY.public, [early, late], RULE) == "1" * 20 + "2" * 20
    with pytest.raises(InvalidDiceActsError, match="order"):
        read_dice(KEY.public, [late, early], RULE)
    same = [act(ONE, "1", timedelta(minutes=1)), act(OTHER, "2", timedelta(minutes=1))]
    assert read_dice(KEY.public, same, RULE) == "1" * 20 + "2" * 20
    with pytest.raises(InvalidDiceActsError, match="order"):
        read_dice(KEY.public, same[::-1], RULE)


def test_act_is_neither_written_nor_read_after_its_last_moment() -> None:
    with pytest.raises(InvalidDiceActsError, match="later than 30 seconds"):
        act(ONE, "1", timedelta(seconds=29, microseconds=999_999))
    acts = [act(ONE, "1", timedelta(seconds=31)), act(OTHER, "2", timedelta(seconds=30))]
    with pytest.raises(InvalidDiceActsError, match="later than 30 seconds"):
        read_dice(KEY.public, acts, replace(RULE, round_at=ROUND_AT - timedelta(seconds=1)))


@pytest.mark.parametrize("digits", ["1" * 19, "1" * 21, "1" * 19 + "x", "１" * 20, ""])
def test_act_has_twenty_decimal_digits(digits: str) -> None:
    with pytest.raises(InvalidDiceActsError, match="form"):
        write_dice_act(KEY, ONE, RULE, digits, "ward", ROUND_AT - timedelta(minutes=1))


def test_acts_of_another_key_draw_or_manifest_are_refused() -> None:
    acts = [act(ONE, "1", timedelta(minutes=2)), act(OTHER, "2", timedelta(minutes=1))]
    with pytest.raises(InvalidDiceActsError, match="not signed by the vault"):
        read_dice(SigningKey.generate().public, acts, RULE)
    with pytest.raises(InvalidDiceActsError, match="not signed by the vault"):
        read_dice(KEY.public, [acts[0], {**acts[1], "at": acts[0]["at"]}], RULE)
    for rule in (replace(RULE, manifest_sha256="cd" * 32), replace(RULE, draw=DrawId("777-days-2"))):
        with pytest.raises(InvalidDiceActsError, match="another draw or manifest"):
            read_dice(KEY.public, acts, rule)


def test_each_witness_is_needed_and_none_counts_twice() -> None:
    acts = [act(ONE, "1", timedelta(minutes=2)), act(OTHER, "2", timedelta(minutes=1))]
    for wrong in (acts[:1], [], [acts[0], acts[0]]):
        with pytest.raises(InvalidDiceActsError, match="2 different acts"):
            read_dice(KEY.public, wrong, RULE)
    with pytest.raises(InvalidDiceActsError, match="3 different acts"):
        read_dice(KEY.public, acts, replace(RULE, witnesses=3))
