"""One draw per campaign on a real database, however many processes try and however they end."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from services.intake.receipts import candidates
from services.lottery import handlers, ledger, publishing, readiness
from services.lottery.chance import Chance
from services.lottery.drawing import Drawing
from services.lottery.freezing import Freezing
from services.lottery.keys import LotteryKeys
from services.lottery.ledger import ListIsFrozen
from services.lottery.manifest import Override
from services.lottery.publishing import Publishing
from services.lottery.randomness import BadRandomness
from services.lottery.readiness import Readiness
from services.lottery.steps import NotYet, TooEarly, WrongState, draw_of
from services.lottery.verification import verify_transcript
from shared.campaign import Campaign
from shared.clock import FixedClock
from shared.contracts import (
    AcceptedApplication,
    ApplicationsAccepted,
    ApplicationsHeld,
    ApplicationsRejected,
    Choice,
    HeldApplication,
    ReceiptsClosed,
    RejectedApplication,
)
from shared.ids import ApplicationId, CampaignId, new_application_id, new_token
from shared.storage import OUTBOX, Store
from tests.unit.lottery.draws import DICE, sample_campaign

PEOPLE = 350
WITNESSES = ["甲", "乙"]


@dataclass(frozen=True)
class Office:
    """One lottery process's parts, on a database that others share."""

    store: Store
    freezing: Freezing
    chance: Chance
    drawing: Drawing
    publishing: Publishing


@dataclass(frozen=True)
class Town:
    campaign: Campaign
    clock: FixedClock
    offices: tuple[Office, ...]
    ids: tuple[ApplicationId, ...]

    @property
    def office(self) -> Office:
        return self.offices[0]


@pytest.fixture
async def town(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Town]:
    campaign = sample_campaign()
    clock = FixedClock(campaign.draw.at)
    keys = LotteryKeys(tmp_path)
    offices = tuple(_office(mongo_url, f"{namespace}_lottery", keys, clock, campaign) for _ in range(3))
    await offices[0].store.ensure(ledger.collections())
    await ledger.ensure_draws(offices[0].store, [campaign])
    yield Town(campaign, clock, offices, tuple(new_application_id() for _ in range(PEOPLE)))
    for office in offices:
        await office.store.close()


def _office(url: str, database: str, keys: LotteryKeys, clock: FixedClock, campaign: Campaign) -> Office:
    store = Store.open(url, database)
    campaigns = {campaign.id: campaign}
    return Office(
        store,
        Freezing(store, keys, clock, campaigns),
        Chance(store),
        Drawing(store, keys, clock),
        Publishing(store, keys, campaigns),
    )


def accepted(town: Town, ids: tuple[ApplicationId, ...], revision: int = 1) -> list[ApplicationsAccepted]:
    classes = town.campaign.classes
    items = [
        AcceptedApplication(
            application_id=each,
            receipt=next(candidates("web", each)),
            token=new_token(),
            channel="web",
            choices=tuple(
                Choice(class_id=classes[(number + step) % 7].id, seats=classes[(number + step) % 7].seats[0])
                for step in range(1 + number % 3)
            ),
            revision=revision,
        )
        for number, each in enumerate(ids)
    ]
    return [
        ApplicationsAccepted(campaign=town.campaign.id, items=tuple(items[at : at + 100]))
        for at in range(0, len(items), 100)
    ]


async def everybody_is_in(town: Town) -> None:
    closed = ReceiptsClosed(campaign=town.campaign.id, part=1, parts=1, total=PEOPLE, application_ids=town.ids)
    await town.office.store.transact(lambda uow: handlers.on_accepted(accepted(town, town.ids), uow))
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))


async def drawn(town: Town) -> None:
    await everybody_is_in(town)
    await town.office.freezing.freeze(town.campaign.id)
    await town.office.chance.give_dice(town.campaign.id, DICE, DICE, WITNESSES)
    assert await town.office.drawing.draw_if_possible(town.campaign.id)


async def said(town: Town) -> list[dict]:
    lines = await town.office.store.db[OUTBOX].find({"name": "results.published"}).to_list(None)
    return [json.loads(line["body"]) for line in lines]


async def test_the_list_waits_for_every_receipt_and_every_doubt(town: Town):
    freezing, name = town.office.freezing, town.campaign.id
    with pytest.raises(NotYet) as refusal:
        await freezing.freeze(name)
    assert not refusal.value.readiness.receipts_closed
    await everybody_is_in(town)
    held = ApplicationsHeld(
        campaign=name, items=(HeldApplication(application_id=town.ids[0], channel="web", revision=2),)
    )
    await town.office.store.transact(lambda uow: handlers.on_held([held], uow))
    with pytest.raises(NotYet) as refusal:
        await freezing.freeze(name)
    assert refusal.value.readiness.held == 1
    reject = RejectedApplication(application_id=town.ids[0], channel="web", reasons=("duplicate",), revision=3)
    rejected = ApplicationsRejected(campaign=name, items=(reject,))
    await town.office.store.transact(lambda uow: handlers.on_rejected([rejected], uow))
    await freezing.freeze(name)
    manifest = json.loads((await draw_of(town.office.store, name))["manifest"])
    assert (manifest["rows"], manifest["counts"]["refused"], manifest["override"]) == (
        PEOPLE - 1,
        {"duplicate": 1},
        None,
    )


async def test_an_override_says_in_public_what_was_open(town: Town):
    await everybody_is_in(town)
    held = HeldApplication(application_id=town.ids[0], channel="web", revision=2)
    event = ApplicationsHeld(campaign=town.campaign.id, items=(held,))
    await town.office.store.transact(lambda uow: handlers.on_held([event], uow))
    await town.office.freezing.freeze(town.campaign.id, Override(0, 0, "desk closed", "a", "b"))
    manifest = json.loads((await draw_of(town.office.store, town.campaign.id))["manifest"])
    assert manifest["override"]["held"] == 1
    assert manifest["override"]["reason"] == "desk closed"


async def test_nothing_is_frozen_while_applications_may_arrive(town: Town):
    await everybody_is_in(town)
    town.clock.at = town.campaign.window.paper_until - timedelta(seconds=1)
    with pytest.raises(TooEarly):
        await town.office.freezing.freeze(town.campaign.id)


async def test_verdicts_in_any_order_come_to_the_same(town: Town):
    name = town.campaign.id
    late = ApplicationsHeld(
        campaign=name, items=(HeldApplication(application_id=town.ids[0], channel="web", revision=1),)
    )
    for _ in range(2):
        await town.office.store.transact(
            lambda uow: handlers.on_accepted(accepted(town, town.ids[:1], revision=2), uow)
        )
        await town.office.store.transact(lambda uow: handlers.on_held([late], uow))
    entry = await town.office.store.db[ledger.ENTRIES].find_one({"_id": town.ids[0]})
    assert entry is not None
    assert (entry["state"], entry["revision"]) == ("accepted", 2)


async def test_a_verdict_after_the_freeze_changes_nothing(town: Town):
    await everybody_is_in(town)
    await town.office.freezing.freeze(town.campaign.id)
    with pytest.raises(ListIsFrozen):
        await town.office.store.transact(lambda uow: handlers.on_accepted(accepted(town, (new_application_id(),)), uow))


async def test_a_doubt_that_arises_while_the_list_is_being_judged_is_not_lost(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    await everybody_is_in(town)
    name, judged = town.campaign.id, readiness.readiness
    held = ApplicationsHeld(
        campaign=name, items=(HeldApplication(application_id=town.ids[0], channel="web", revision=2),)
    )

    async def judged_then_held(store: Store, campaign: CampaignId) -> Readiness:
        judgement = await judged(store, campaign)
        await town.offices[1].store.transact(lambda uow: handlers.on_held([held], uow))
        monkeypatch.undo()
        return judgement

    monkeypatch.setattr(readiness, "readiness", judged_then_held)
    with pytest.raises(NotYet) as refusal:
        await town.office.freezing.freeze(name)
    assert refusal.value.readiness.held == 1


async def test_a_list_that_was_closed_and_not_written_is_finished_by_another(town: Town):
    await everybody_is_in(town)
    name = town.campaign.id
    await town.office.freezing.close(name)
    with pytest.raises(ListIsFrozen):
        await town.office.store.transact(lambda uow: handlers.on_accepted(accepted(town, (new_application_id(),)), uow))
    finished = await asyncio.gather(*(office.freezing.finish(name) for office in town.offices))
    assert sum(finished) == 1
    manifest = json.loads((await draw_of(town.office.store, name))["manifest"])
    assert manifest["rows"] == PEOPLE


async def test_of_many_who_freeze_one_does(town: Town):
    await everybody_is_in(town)
    tries = await asyncio.gather(*(o.freezing.freeze(town.campaign.id) for o in town.offices), return_exceptions=True)
    assert [each for each in tries if each is None] == [None]
    assert all(isinstance(each, WrongState) for each in tries if each is not None)


async def test_of_many_who_draw_and_publish_each_result_is_said_once(town: Town):
    await everybody_is_in(town)
    await town.office.freezing.freeze(town.campaign.id)
    await town.office.chance.give_dice(town.campaign.id, DICE, DICE, WITNESSES)
    with pytest.raises(WrongState):
        await town.offices[1].chance.give_dice(town.campaign.id, DICE, DICE, WITNESSES)
    draws = await asyncio.gather(*(o.drawing.draw_if_possible(town.campaign.id) for o in town.offices))
    assert sum(draws) == 1
    for _ in range(3):
        await asyncio.gather(*(o.publishing.publish_if_drawn(town.campaign.id) for o in town.offices))
    assert (await draw_of(town.office.store, town.campaign.id))["state"] == "published"
    told = [item["application_id"] for event in await said(town) for item in event["items"]]
    assert sorted(told) == sorted(town.ids)
    transcript = json.loads(await ledger.get_text(town.office.store, f"{town.campaign.id}-1:transcript"))
    assert verify_transcript(transcript).passed


async def test_a_publication_that_died_half_way_is_finished_by_another(town: Town, monkeypatch: pytest.MonkeyPatch):
    await drawn(town)
    monkeypatch.setattr(publishing, "PARTS_AT_ONCE", 1)
    dying = asyncio.create_task(town.office.publishing.publish_if_drawn(town.campaign.id))
    while not await said(town):  # noqa: ASYNC110  (another process's database is watched)
        await asyncio.sleep(0.005)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await draw_of(town.office.store, town.campaign.id))["state"] == "drawn"
    assert await town.offices[1].publishing.publish_if_drawn(town.campaign.id)
    events = await said(town)
    assert sorted(event["part"] for event in events) == [1, 2, 3, 4]
    assert sorted(item["application_id"] for event in events for item in event["items"]) == sorted(town.ids)


async def test_bad_dice_leave_the_draw_waiting(town: Town):
    await everybody_is_in(town)
    await town.office.freezing.freeze(town.campaign.id)
    with pytest.raises(BadRandomness):
        await town.office.chance.give_dice(town.campaign.id, DICE, DICE[::-1], WITNESSES)
    assert not await town.office.drawing.draw_if_possible(town.campaign.id)
    with pytest.raises(WrongState):
        await town.office.chance.give_beacon(town.campaign.id, "00" * 48)


async def test_an_empty_list_can_be_drawn(town: Town):
    closed = ReceiptsClosed(campaign=town.campaign.id, part=1, parts=1, total=0, application_ids=())
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
    await town.office.freezing.freeze(town.campaign.id)
    await town.office.chance.give_dice(town.campaign.id, DICE, DICE, WITNESSES)
    assert await town.office.drawing.draw_if_possible(town.campaign.id)
    assert await town.office.publishing.publish_if_drawn(town.campaign.id)
