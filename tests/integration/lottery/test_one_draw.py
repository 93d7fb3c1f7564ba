"""A campaign has one draw on a real database, with any number of processes and after any crash."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.lottery.draw import handlers
from services.lottery.draw.collections import ENTRIES
from services.lottery.draw.entry_repository import EntryRepository, EntryTakenError
from services.lottery.draw.freeze import ListIncompleteError, TooEarlyError
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.repository import ListFrozenError
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.blockers import Readiness
from services.lottery.draw.rules.states import WrongStateError
from services.lottery.draw.transcript_repository import TranscriptRepository
from services.lottery.randomness.sources import InvalidRandomnessError
from services.lottery.record.manifest import draw_id
from services.lottery.results import publish
from services.lottery.verification.transcript_checks import verify_transcript
from shared.approvals.used import USED_APPROVALS
from shared.contracts import ApplicationsHeld, ApplicationsRejected, ReceiptsClosed
from shared.ids import CampaignId
from shared.signing import SigningKey
from tests.support.applicants import Applicant, new_applicant, roll_of
from tests.support.chance import DICE, acts_of
from tests.support.lottery_harness import PEOPLE, Town, accepted, drawn, everybody_is_in, published_draws, said
from tests.support.waiting import await_all


async def test_the_list_waits_for_every_receipt_and_every_doubt(town: Town):
    office, name = town.office, town.campaign.id
    with pytest.raises(ListIncompleteError) as refusal:
        await office.freeze()
    assert not refusal.value.readiness.receipts_closed
    await everybody_is_in(town)
    held = ApplicationsHeld(campaign=name, items=(town.people[0].held(revision=2),))
    await town.office.store.transact(lambda uow: handlers.on_held([held], uow))
    with pytest.raises(ListIncompleteError) as refusal:
        await office.freeze()
    assert refusal.value.readiness.held == 1
    rejected = ApplicationsRejected(campaign=name, items=(town.people[0].rejected("duplicate", revision=3),))
    await town.office.store.transact(lambda uow: handlers.on_rejected([rejected], uow))
    await office.freeze()
    manifest = json.loads((await town.office.draw()).manifest_line)
    assert (manifest["rows"], manifest["counts"]["refused"], manifest["override"]) == (
        PEOPLE - 1,
        {"duplicate": 1},
        None,
    )


async def used_approvals(town: Town) -> list[dict[str, Any]]:
    return await town.office.store.db[USED_APPROVALS].find().to_list(None)


async def test_an_override_says_in_public_what_was_open(town: Town):
    await everybody_is_in(town)
    event = ApplicationsHeld(campaign=town.campaign.id, items=(town.people[0].held(revision=2),))
    await town.office.store.transact(lambda uow: handlers.on_held([event], uow))
    await town.office.freeze_incomplete("desk closed")
    draw = await town.office.draw()
    override = {"held": 1, "undecided": 0, "reason": "desk closed", "actor": "handler", "approved_by": "handler"}
    assert json.loads(draw.manifest_line)["override"] == override
    assert draw.freeze.override.staff == ("yamada", (await used_approvals(town))[0]["_id"])


async def test_nothing_is_frozen_while_applications_may_arrive(town: Town):
    await everybody_is_in(town)
    town.clock.at = town.campaign.window.paper_until - timedelta(seconds=1)
    with pytest.raises(TooEarlyError):
        await town.office.freeze()


async def test_verdicts_in_any_order_come_to_the_same(town: Town):
    name = town.campaign.id
    late = ApplicationsHeld(campaign=name, items=(town.people[0].held(revision=1),))
    for _ in range(2):
        await town.office.store.transact(
            lambda uow: handlers.on_accepted(accepted(town, town.people[:1], revision=2), uow)
        )
        await town.office.store.transact(lambda uow: handlers.on_held([late], uow))
    entry = await EntryRepository(town.office.store).find(name, town.people[0].receipt)
    assert entry is not None
    assert (entry.state, entry.revision) == ("accepted", 2)


async def test_a_verdict_after_the_freeze_changes_nothing(town: Town):
    await everybody_is_in(town)
    await town.office.freeze()
    with pytest.raises(ListFrozenError):
        await town.office.store.transact(
            lambda uow: handlers.on_accepted(accepted(town, (new_applicant(town.campaign.id),)), uow)
        )


async def test_a_doubt_that_arises_while_the_list_is_being_judged_is_not_lost(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    await everybody_is_in(town)
    name, judged = town.campaign.id, RollRepository.readiness
    held = ApplicationsHeld(campaign=name, items=(town.people[0].held(revision=2),))

    async def judged_then_held(self: RollRepository, campaign: CampaignId) -> Readiness:
        judgement = await judged(self, campaign)
        await town.offices[1].store.transact(lambda uow: handlers.on_held([held], uow))
        monkeypatch.undo()
        return judgement

    monkeypatch.setattr(RollRepository, "readiness", judged_then_held)
    with pytest.raises(ListIncompleteError) as refusal:
        await town.office.freeze()
    assert refusal.value.readiness.held == 1


async def test_entries_that_race_the_freeze_are_on_the_list_or_refused_and_nothing_between(town: Town):
    await everybody_is_in(town)
    store, name = town.offices[1].store, town.campaign.id
    late = tuple(new_applicant(name) for _ in range(40))
    await _rejected_at_first(town, late)
    refused: set[str] = set()

    async def arrives(number: int) -> None:
        await asyncio.sleep(number * 0.004)
        try:
            await store.transact(lambda uow: handlers.on_accepted(accepted(town, (late[number],), 2), uow))
        except ListFrozenError:
            refused.add(late[number].entry)

    await arrives(0)
    async with asyncio.TaskGroup() as group:
        for number in range(1, len(late) - 1):
            group.create_task(arrives(number))
        await asyncio.sleep(0.06)
        await _freeze_when_complete(town)
    await arrives(len(late) - 1)  # each earlier one may have made the list wait for another search
    frozen = "".join([piece async for piece in ListRepository(store).rows(draw_id(name, 1))])
    listed = {row[:32] for row in frozen.splitlines()}
    late_ids = {applicant.entry for applicant in late}
    assert late_ids - listed == refused
    assert 0 < len(refused) < len(late)
    assert listed - late_ids == {applicant.entry for applicant in town.people}


async def _stranger_arrives(town: Town) -> None:
    """Consume the verdict on an application that is not on the roll."""
    late = accepted(town, [new_applicant(town.campaign.id)])
    await town.office.store.transact(lambda uow: handlers.on_accepted(late, uow))


async def _freeze_when_complete(town: Town) -> None:
    """Freeze as the scheduler does: again while a verdict that changes at this moment is counted in neither list."""
    while True:
        try:
            return await town.office.freeze()
        except ListIncompleteError:
            await asyncio.sleep(0.005)


async def _rejected_at_first(town: Town, late: tuple[Applicant, ...]) -> None:
    """Put applications on the roll, with a first verdict that keeps them off the list."""
    roll = roll_of(town.campaign.id, [*town.people, *late])
    items = tuple(applicant.rejected("duplicate") for applicant in late)
    rejected = ApplicationsRejected(campaign=town.campaign.id, items=items)
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([roll], uow))
    await town.office.store.transact(lambda uow: handlers.on_rejected([rejected], uow))


async def test_a_list_that_was_closed_and_not_written_is_finished_by_another(town: Town):
    await everybody_is_in(town)
    await town.office.close()
    with pytest.raises(ListFrozenError):
        await town.office.store.transact(
            lambda uow: handlers.on_accepted(accepted(town, (new_applicant(town.campaign.id),)), uow)
        )
    finished = await await_all(*(office.finish() for office in town.offices))
    assert sum(finished) == 1
    manifest = json.loads((await town.office.draw()).manifest_line)
    assert manifest["rows"] == PEOPLE


async def test_one_of_many_processes_freezes_the_list(town: Town):
    await everybody_is_in(town)
    attempts = await asyncio.gather(*(o.freeze() for o in town.offices), return_exceptions=True)
    assert [each for each in attempts if each is None] == [None]
    assert all(isinstance(each, WrongStateError) for each in attempts if each is not None)


async def test_many_processes_draw_once_and_publish_each_result_once(town: Town):
    await everybody_is_in(town)
    await town.office.freeze()
    await town.office.enter_chance()
    with pytest.raises(WrongStateError):
        await town.offices[1].enter_chance()
    draws = await await_all(*(o.run() for o in town.offices))
    assert sum(draws) == 1
    for _ in range(3):
        await await_all(*(o.publish() for o in town.offices))
    assert (await town.office.draw()).state == "published"
    result_ids = [item["entry"] for event in await said(town) for item in event["items"]]
    assert sorted(result_ids) == sorted(applicant.entry for applicant in town.people)
    assert await published_draws(town) == [(f"{town.campaign.id}-1", len(town.people))]
    transcript = json.loads(await TranscriptRepository(town.office.store).get(draw_id(town.campaign.id, 1)))
    assert verify_transcript(transcript).passed


async def test_a_publication_that_died_half_way_is_finished_by_another(town: Town, monkeypatch: pytest.MonkeyPatch):
    await drawn(town)
    monkeypatch.setattr(publish, "PARTS_AT_ONCE", 1)
    dying = asyncio.create_task(town.office.publish())
    while not await said(town):  # noqa: ASYNC110  (another process's database is watched)
        await asyncio.sleep(0.005)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await town.office.draw()).state == "drawn"
    assert await town.offices[1].publish()
    events = await said(town)
    assert sorted(event["part"] for event in events) == [1, 2, 3, 4]
    listed = sorted(applicant.entry for applicant in town.people)
    assert sorted(item["entry"] for event in events for item in event["items"]) == listed


async def test_acts_of_another_key_and_a_false_beacon_leave_the_draw_waiting(town: Town):
    await everybody_is_in(town)
    office = town.office
    await office.freeze()
    draw = await office.draw()
    await office.take(draw, acts_of(draw.manifest.dice_rule, key=SigningKey.generate()))
    assert (await office.draw()).dice_acts == ()
    with pytest.raises(WrongStateError, match="digits of witnesses"):
        await office.enter_beacon("00" * 48, "yamada")
    assert await office.enter_dice(DICE)
    with pytest.raises(InvalidRandomnessError):
        await office.enter_beacon("00" * 48, "yamada")
    assert not await office.run()


async def test_an_empty_list_can_be_drawn(town: Town):
    closed = roll_of(town.campaign.id, ())
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([closed], uow))
    await town.office.freeze()
    await town.office.enter_chance()
    assert await town.office.run()
    assert await town.office.publish()


async def test_an_entry_that_the_roll_does_not_know_prevents_the_freeze_also_with_an_override(town: Town):
    await everybody_is_in(town)
    stranger = new_applicant(town.campaign.id)
    await town.office.store.transact(lambda uow: handlers.on_accepted(accepted(town, (stranger,)), uow))
    assert (await RollRepository(town.office.store).readiness(town.campaign.id)).unknown_entries == 1
    for freeze in (town.office.freeze(), town.office.freeze_incomplete("counted again")):
        with pytest.raises(ListIncompleteError):
            await freeze
    assert await used_approvals(town) == []
    await town.office.store.db[ENTRIES].update_one(
        {"receipt": stranger.receipt}, {"$set": {"state": "rejected", "verdict": "discarded"}}
    )
    await town.office.freeze()


async def test_a_receipt_without_a_verdict_and_an_entry_without_a_receipt_do_not_hide_each_other(town: Town):
    """Take one application's verdict away and invent an entry: the totals agree, the lists do not."""
    await everybody_is_in(town)
    await town.office.store.db[ENTRIES].delete_one({"receipt": town.people[0].receipt})
    await town.office.store.transact(
        lambda uow: handlers.on_accepted(accepted(town, (new_applicant(town.campaign.id),)), uow)
    )
    readiness = await RollRepository(town.office.store).readiness(town.campaign.id)
    assert (readiness.undecided, readiness.unknown_entries) == (1, 1)


async def test_the_list_waits_for_the_verdict_on_the_last_version_of_each_receipt(town: Town):
    corrected, *others = town.people
    name, store = town.campaign.id, town.office.store
    items = (corrected.closed(2), *(applicant.closed() for applicant in others))
    roll = ReceiptsClosed(campaign=name, part=1, parts=1, total=PEOPLE, items=items)
    await store.transact(lambda uow: handlers.on_accepted(accepted(town, town.people), uow))
    await store.transact(lambda uow: handlers.on_receipts_closed([roll], uow))
    readiness = await RollRepository(store).readiness(name)
    assert (readiness.undecided, readiness.outdated, readiness.unknown_entries) == (1, 1, 0)
    with pytest.raises(ListIncompleteError):
        await town.office.freeze()
    gone = corrected.rejected(version=2, revision=2, verdict="withdrawn")
    event = ApplicationsRejected(campaign=name, items=(gone,))
    await store.transact(lambda uow: handlers.on_rejected([event], uow))
    await town.office.freeze()
    manifest = (await town.office.draw()).manifest
    assert (manifest.rows, manifest.receipts.count) == (PEOPLE - 1, PEOPLE)
    assert json.loads(manifest.line)["counts"]["refused"] == {"withdrawn": 1}


async def test_no_override_freezes_a_list_without_the_complete_roll(town: Town):
    await town.office.store.transact(lambda uow: handlers.on_accepted(accepted(town, town.people), uow))
    part = ReceiptsClosed(campaign=town.campaign.id, part=1, parts=2, total=PEOPLE, items=())
    await town.office.store.transact(lambda uow: handlers.on_receipts_closed([part], uow))
    with pytest.raises(ListIncompleteError):
        await town.office.freeze_incomplete("intake is silent")


async def test_a_second_entry_with_the_same_id_is_refused_for_good(town: Town):
    await everybody_is_in(town)
    twin = replace(new_applicant(town.campaign.id), entry=town.people[0].entry)
    with pytest.raises(EntryTakenError, match="an entry id belongs to another receipt"):
        await town.office.store.transact(lambda uow: handlers.on_accepted(accepted(town, [twin]), uow))
