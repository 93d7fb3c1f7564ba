"""Digits of witnesses count only while nobody can know the beacon's value; without them a later round is taken."""

import json
from datetime import timedelta

import pytest

from services.lottery.draw.rules.blockers import waits
from services.lottery.draw.rules.states import WrongStateError
from services.lottery.verification.transcript_checks import verify_transcript
from shared.campaign import Campaign
from shared.contracts import DiceRequested
from shared.dice_acts import DIGITS
from shared.errors import TransientError
from shared.signing import SigningKey
from shared.storage import OUTBOX
from tests.support.chance import BEACON, CHAIN, DICE, act_of, acts_of
from tests.support.executed_approvals import VAULT
from tests.support.lottery_harness import Town, everybody_is_in, town_of
from tests.support.recorded_acts import read_acts


@pytest.fixture
async def frozen(town: Town) -> Town:
    await everybody_is_in(town)
    await town.office.freeze()
    return town


async def codes(town: Town) -> list[str]:
    return [wait.code for wait in waits(await town.office.draw(), town.campaign, None, town.clock.now())]


async def test_vault_is_asked_once_for_the_digits_of_this_very_manifest(frozen: Town):
    draw = await frozen.office.draw()
    [line] = await frozen.office.store.db[OUTBOX].find({"name": "dice.requested"}).to_list(None)
    asked = DiceRequested.model_validate_json(line["body"])
    assert (asked.draw, asked.manifest_sha256, asked.witnesses) == (draw.id, draw.manifest.sha256, 2)
    assert (asked.opens, asked.round_at) == (draw.manifest.objections_until, draw.manifest.beacon.at)
    assert draw.manifest.vault_key == VAULT.public


async def test_acts_of_any_order_are_taken_once_each_and_stand_in_the_order_of_their_times(frozen: Town):
    office, draw = frozen.office, await frozen.office.draw()
    first, second = acts_of(draw.manifest.dice_rule)
    for acts in ([second], [second, second], [first]):
        await office.take(draw, acts)
    taken = await office.draw()
    assert (taken.dice, [act["id"] for act in taken.dice_acts]) == (DICE, [first["id"], second["id"]])
    third = act_of(draw.manifest.dice_rule, 2, "9" * DIGITS, frozen.clock.now())
    await office.take(draw, [third])
    assert (await office.draw()).dice == DICE


async def test_acts_of_another_key_draw_or_manifest_are_dropped(frozen: Town):
    office, draw = frozen.office, await frozen.office.draw()
    rule = draw.manifest.dice_rule
    foreign = acts_of(rule, key=SigningKey.generate())
    altered = [{**act, "params": {**act["params"], "digits": "7" * DIGITS}} for act in acts_of(rule)]
    other = acts_of(type(rule)(rule.campaign, rule.draw, "0" * 64, rule.witnesses, rule.round_at))
    later = acts_of(
        type(rule)(rule.campaign, rule.draw, rule.manifest_sha256, 2, rule.round_at + timedelta(hours=1)),
        at=rule.latest + timedelta(microseconds=1),
    )
    for acts in (foreign, altered, other, later):
        await office.take(draw, acts)
    assert (await office.draw()).dice_acts == ()


async def test_an_act_that_arrives_when_the_value_may_be_known_is_dropped_whatever_time_it_names(frozen: Town):
    """Send an act of a vault that saw the value and wrote an earlier time."""
    office, draw = frozen.office, await frozen.office.draw()
    first, second = acts_of(draw.manifest.dice_rule)
    await office.take(draw, [first])
    frozen.clock.at = draw.manifest.beacon.at
    await office.take(draw, [second])
    assert ((await office.draw()).dice, await codes(frozen)) == (None, ["later-round"])


async def test_a_machine_with_a_wrong_clock_leaves_the_act_to_another(frozen: Town, monkeypatch: pytest.MonkeyPatch):
    office, draw = frozen.office, await frozen.office.draw()

    async def behind() -> object:
        return frozen.clock.now() - timedelta(days=9000)

    frozen.clock.at = draw.manifest.beacon.at
    monkeypatch.setattr(office.store, "time", behind)
    with pytest.raises(TransientError):
        await office.take(draw, acts_of(draw.manifest.dice_rule))


async def test_a_draw_without_its_digits_is_given_up_in_public_for_a_later_round(frozen: Town):
    office, first = frozen.office, await frozen.office.draw()
    await office.take(first, acts_of(first.manifest.dice_rule)[:1])
    with pytest.raises(WrongStateError, match="not one that needs"):
        await office.begin_later()
    frozen.clock.at = first.manifest.beacon.at
    assert await office.begin_later() == f"{frozen.campaign.id}-2"
    assert await office.finish()
    second = await office.draw()
    assert second.manifest.beacon.at > frozen.clock.now() + timedelta(minutes=29)
    await office.take(first, acts_of(first.manifest.dice_rule)[1:])
    assert (await office.draw()).dice_acts == ()
    await office.enter_chance()
    assert await office.run()
    transcript = json.loads(bytes((await office.published.transcript(frozen.campaign.id)).body))
    previous = json.loads(transcript["manifest"])["previous"]
    assert previous == {
        "draw": first.id,
        "manifest_sha256": first.manifest.sha256,
        "reason": "digits-missing",
        "actor": "handler",
        "approved_by": "handler",
    }
    assert verify_transcript(transcript, vault_key=VAULT.public).passed
    shown = (await office.published.draws(frozen.campaign.id))["draws"]
    assert [one["given_up"] and one["given_up"]["reason"] for one in shown] == ["digits-missing", None]
    assert ("yamada", "later-round", first.id) in await read_acts(office.store)


async def test_a_list_whose_named_round_is_known_already_is_drawn_by_a_later_one(
    mongo_url: str, namespace: str, town: Town
):
    named = BEACON.model_copy(update={"round": CHAIN.round_after(town.campaign.draw.at)})
    campaign: Campaign = town.campaign.model_copy(
        update={"id": "known", "draw": town.campaign.draw.model_copy(update={"beacon": named})}
    )
    async with town_of(campaign, mongo_url, f"{namespace}_known") as known:
        await everybody_is_in(known)
        office = known.office
        await office.scheduler.advance(campaign)
        assert (await office.draw()).state == "open"
        assert await codes(known) == ["round-passed"]
        await office.begin_later()
        await office.freeze()
        draw = await office.draw()
        assert (draw.number, draw.manifest.beacon.round > (named.round or 0)) == (2, True)
        previous = json.loads(draw.manifest.line)["previous"]
        assert (previous["manifest_sha256"], previous["reason"]) == (None, "round-known")
        shown = (await office.published.draws(campaign.id))["draws"]
        assert [one["number"] for one in shown] == [1, 2]
