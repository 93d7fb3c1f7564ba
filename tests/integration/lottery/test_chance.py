"""Randomness is entered in its time and from the sources of the manifest; a missing source is waited for in public."""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from deploy.relay.chain import RelayKey, write_beacon_member
from deploy.relay.server import Relay, make_server
from services.lottery.draw.clock_check import ClocksDifferError
from services.lottery.draw.randomness_entry import ObjectionsOpenError
from services.lottery.draw.relays import RelayClient
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.blockers import Readiness, waits
from services.lottery.randomness.rounds import RoundPassedError
from services.lottery.randomness.sources import BeaconRound
from services.lottery.verification.transcript_checks import verify_transcript
from shared.campaign import Campaign, quicknet
from shared.campaign.beacon_schedule import Schedule
from shared.campaign.model import Beacon, DrawRules
from shared.clock import FixedClock
from shared.ids import CampaignId
from shared.storage.leases import LEASES
from tests.support.drand_relay import ROUND, SIGNATURE, Manner, relay
from tests.support.draw_builders import sample_campaign
from tests.support.lottery_harness import Town, everybody_is_in, town_of

BEACON = Beacon(chain=quicknet.CHAIN, public_key=quicknet.PUBLIC_KEY, round=ROUND)
ASKED = BeaconRound(quicknet.CHAIN, quicknet.PUBLIC_KEY, ROUND)
OWN_CHAIN = Schedule(genesis=1_527_638_400, period=3)
PHOTOGRAPH = f"sha256:{hashlib.sha256(b'photograph').hexdigest()}"


def campaign_with(**rules: Any) -> Campaign:
    campaign = sample_campaign()
    return campaign.model_copy(update={"draw": DrawRules(**{**campaign.draw.model_dump(), **rules})})


@asynccontextmanager
async def frozen(campaign: Campaign, url: str, database: str) -> AsyncIterator[Town]:
    async with town_of(campaign, url, database) as town:
        await everybody_is_in(town)
        await town.office.freeze()
        yield town


async def waited_for(town: Town) -> list[str]:
    draw = await town.office.draw()
    judged = await RollRepository(town.office.store).readiness(town.campaign.id)
    return [each.code for each in waits(draw, town.campaign, judged, town.clock.now())]


async def test_the_beacon_of_the_manifest_is_fetched_when_it_is_out_and_draws(mongo_url: str, namespace: str):
    async with AsyncExitStack() as relays:
        manners: tuple[Manner, ...] = ("lying", "right")
        addresses = tuple([await relays.enter_async_context(relay(each)) for each in manners])
        campaign = campaign_with(source="both", beacon=BEACON, relays=addresses)
        async with frozen(campaign, mongo_url, f"{namespace}_lottery") as town:
            await town.office.scheduler.advance(campaign)
            assert await waited_for(town) == ["dice", "beacon"]
            await town.office.randomness.attach_evidence(await town.office.draw(), [PHOTOGRAPH], "yamada")
            assert await town.office.enter_dice()
            assert await waited_for(town) == ["beacon"]
            town.clock.at = quicknet.time_of(ROUND)
            await town.office.scheduler.advance(campaign)
            transcript = await town.office.published.transcript(campaign.id)
            assert verify_transcript(json.loads(bytes(transcript.body))).passed
            draw = await town.office.draw()
            assert (draw.beacon_signature, draw.dice_evidence) == (SIGNATURE, (PHOTOGRAPH,))
            assert [(source.source, source.actor) for source in draw.given] == [
                ("dice", "ward+auditor"),
                ("beacon_signature", "schedule"),
            ]


async def test_a_rehearsals_own_relay_decides_a_draw_that_proves_nothing(
    mongo_url: str, namespace: str, own_relay: tuple[str, RelayKey, FixedClock]
):
    address, key, clock = own_relay
    beacon = Beacon(**write_beacon_member(key, OWN_CHAIN, OWN_CHAIN.round_after(clock.now() + timedelta(hours=1))))
    campaign = campaign_with(source="beacon", beacon=beacon, relays=(address,)).model_copy(update={"rehearsal": True})
    async with frozen(campaign, mongo_url, f"{namespace}_lottery") as town:
        town.clock.at = OWN_CHAIN.time_of(beacon.round)
        await town.office.scheduler.advance(campaign)
        assert [code.trouble for code in (await town.office.draw()).relay_troubles] == ["not-yet"]
        town.clock.at = clock.at = town.clock.at + timedelta(minutes=1)
        await town.office.scheduler.advance(campaign)
        transcript = json.loads(bytes((await town.office.published.transcript(campaign.id)).body))
        report = verify_transcript(transcript)
        assert report.passed
        assert "proves nothing" in next(check.text for check in report.checks if check.name == "beacon")


@pytest.fixture
def own_relay(tmp_path: Path) -> Iterator[tuple[str, RelayKey, FixedClock]]:
    """Run the relay of a rehearsal in a thread: its address, key and clock."""
    key, clock = RelayKey.create_once(tmp_path / "relay.key"), FixedClock(sample_campaign().draw.at)
    with make_server(Relay(key, OWN_CHAIN, clock), 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", key, clock
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("manner", "trouble"),
    [
        ("lying", "false-signature"),
        ("replaying", "other-round"),
        ("hanging", "slow"),
        ("shouting", "malformed"),
        ("confused", "malformed"),
        ("early", "not-yet"),
        ("dripping", "slow"),
        ("hanging-up", "away"),
        ("redirecting", "refused"),
        ("packing", "malformed"),
        ("infinite", "false-signature"),
    ],
)
async def test_a_relay_that_does_wrong_is_named_and_another_is_believed(manner: Manner, trouble: str):
    async with relay(manner) as wrong, relay("right") as right:
        timeout_s = 0.4 if trouble == "slow" else 20.0
        alone = await RelayClient(timeout_s=timeout_s).ask([wrong], ASKED)
        assert (alone.signature, list(alone.troubles.values())) == (None, [trouble])
        assert (await RelayClient(timeout_s=20.0).ask([wrong, right], ASKED)).signature == SIGNATURE


async def test_a_relay_that_is_not_there_is_named():
    asked = await RelayClient(timeout_s=20.0).ask(["http://127.0.0.1:9", "http://a:99999999"], ASKED)
    assert asked.troubles == {"127.0.0.1:9": "away", "a:99999999": "away"}


async def test_a_draw_waits_visibly_when_no_relay_has_the_value(mongo_url: str, namespace: str):
    async with relay("replaying") as wrong:
        campaign = campaign_with(source="beacon", beacon=BEACON, relays=(wrong,))
        async with frozen(campaign, mongo_url, f"{namespace}_lottery") as town:
            town.clock.at = quicknet.time_of(ROUND) + timedelta(minutes=5)
            await town.office.scheduler.advance(campaign)
            draw = await town.office.draw()
            assert [trouble.trouble for trouble in draw.relay_troubles] == ["other-round"]
            assert await waited_for(town) == ["beacon"]
            await town.office.enter_beacon(SIGNATURE, "yamada")
            await town.office.scheduler.advance(campaign)
            assert await waited_for(town) == ["results"]


async def test_randomness_is_refused_while_objections_may_be_raised(mongo_url: str, namespace: str):
    campaign = campaign_with(objection_hours=24)
    async with frozen(campaign, mongo_url, f"{namespace}_lottery") as town:
        assert await waited_for(town) == ["objections", "dice", "beacon"]
        manifest = (await town.office.draw()).manifest
        assert manifest.objections_until == campaign.draw.at + timedelta(hours=24)
        with pytest.raises(ObjectionsOpenError):
            await town.office.enter_chance()
        town.clock.at = manifest.objections_until
        await town.office.enter_chance()
        assert await town.office.run()


async def test_a_list_whose_beacon_is_known_already_is_not_frozen(mongo_url: str, namespace: str):
    campaign = campaign_with(source="beacon", beacon=BEACON, objection_hours=1)
    async with town_of(campaign, mongo_url, f"{namespace}_lottery") as town:
        await everybody_is_in(town)
        town.clock.at = quicknet.time_of(ROUND) - timedelta(minutes=59)
        with pytest.raises(RoundPassedError, match="comes too early"):
            await town.office.freeze()
        await town.office.scheduler.advance(campaign)
        assert await waited_for(town) == ["round-passed"]


async def test_one_scheduler_looks_after_a_campaign_and_another_takes_over(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.lottery.scheduler.LEASE_S", 600.0)
    first, second, _ = (office.scheduler for office in town.offices)
    await first.advance(town.campaign)
    await everybody_is_in(town)
    await second.advance(town.campaign)
    assert (await town.office.draw()).state == "open"
    await town.office.store.db[LEASES].update_many({}, {"$set": {"until": town.clock.now()}})
    await second.advance(town.campaign)
    assert (await town.office.draw()).state == "frozen"


async def test_a_clock_that_is_behind_freezes_nothing_and_one_that_is_ahead_only_what_is_complete(town: Town):
    town.clock.at = town.campaign.draw.at - timedelta(seconds=1)
    await town.office.scheduler.advance(town.campaign)
    assert await waited_for(town) == ["draw-time", "receipts"]
    town.clock.at = town.campaign.draw.at + timedelta(days=30)
    await town.office.scheduler.advance(town.campaign)
    assert await waited_for(town) == ["receipts"]
    await everybody_is_in(town)
    await town.office.scheduler.advance(town.campaign)
    assert await waited_for(town) == ["dice", "beacon"]


async def test_an_incomplete_list_is_checked_again_only_after_a_change(town: Town, monkeypatch: pytest.MonkeyPatch):
    judged, judge = list[None](), RollRepository.readiness

    async def counted(self: RollRepository, campaign: CampaignId) -> Readiness:
        judged.append(None)
        return await judge(self, campaign)

    monkeypatch.setattr(RollRepository, "readiness", counted)
    for _ in range(3):
        await town.office.scheduler.advance(town.campaign)
    assert len(judged) == 1
    await everybody_is_in(town)
    await town.office.scheduler.advance(town.campaign)
    assert len(judged) == 2
    assert await waited_for(town) == ["dice", "beacon"]


async def test_nothing_is_frozen_by_a_machine_whose_clock_and_the_databases_are_apart(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    await everybody_is_in(town)

    async def ahead() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=3)

    monkeypatch.setattr(town.office.store, "time", ahead)
    with pytest.raises(ClocksDifferError, match="180 s apart"):
        await town.office.freeze()
    await town.office.scheduler.advance(town.campaign)
    assert (await town.office.draw()).state == "open"
    await town.offices[1].freeze()
    assert await waited_for(town) == ["dice", "beacon"]


async def test_a_clock_that_is_ahead_cuts_no_objections_short(
    mongo_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
):
    async def behind() -> datetime:
        return datetime.now(UTC) - timedelta(hours=24)

    campaign = campaign_with(objection_hours=24)
    async with frozen(campaign, mongo_url, f"{namespace}_lottery") as town:
        town.clock.at += timedelta(hours=24)
        monkeypatch.setattr(town.office.store, "time", behind)
        with pytest.raises(ClocksDifferError):
            await town.office.enter_chance()
        assert await waited_for(town) == ["beacon"]
        await town.offices[1].enter_chance()


async def test_a_clock_that_was_ahead_and_is_set_right_asks_for_the_beacon_again(mongo_url: str, namespace: str):
    async with relay("early") as waiting, relay("right") as right:
        campaign = campaign_with(source="beacon", beacon=BEACON, relays=(waiting,))
        async with frozen(campaign, mongo_url, f"{namespace}_lottery") as town:
            town.clock.at = quicknet.time_of(ROUND) + timedelta(hours=2)
            await town.office.scheduler.advance(campaign)
            assert await waited_for(town) == ["beacon"]
            town.clock.at = quicknet.time_of(ROUND)
            await town.office.scheduler.advance(campaign_with(source="beacon", beacon=BEACON, relays=(right,)))
            assert await waited_for(town) == ["results"]


async def test_relays_are_not_asked_again_at_every_tick(mongo_url: str, namespace: str):
    async with relay("early") as waiting, relay("right") as right:
        campaign = campaign_with(source="beacon", beacon=BEACON, relays=(waiting,))
        async with frozen(campaign, mongo_url, f"{namespace}_lottery") as town:
            town.clock.at = quicknet.time_of(ROUND)
            await town.office.scheduler.advance(campaign)
            later = campaign_with(source="beacon", beacon=BEACON, relays=(right,))
            town.clock.at += timedelta(seconds=9)
            await town.office.scheduler.advance(later)
            assert await waited_for(town) == ["beacon"]
            town.clock.at += timedelta(seconds=1)
            await town.office.scheduler.advance(later)
            assert await waited_for(town) == ["results"]


async def test_an_instance_whose_clock_is_behind_does_not_block_the_others(town: Town):
    await everybody_is_in(town)
    behind = town.offices[1].scheduler_at(FixedClock(town.campaign.draw.at - timedelta(minutes=10)))
    await behind.advance(town.campaign)
    await town.office.scheduler.advance(town.campaign)
    assert await waited_for(town) == ["dice", "beacon"]
