"""A draw is corrected by another one in public, and the list gives proofs of inclusion and of absence."""

import json

import numpy as np
import pytest

from services.lottery.allocation.dry_run import dry_run
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw import handlers
from services.lottery.draw.collections import OUTCOMES
from services.lottery.draw.list_repository import CHUNK_ENTRIES, ListRepository
from services.lottery.draw.rules.states import WrongStateError
from services.lottery.places.corrections import RefusedApplication
from services.lottery.record.inclusion import check_proof
from services.lottery.verification.transcript_checks import verify_transcript
from shared.contracts import ApplicationsAccepted, ApplicationsRejected
from shared.ids import DrawId
from tests.support.applicants import new_applicant, roll_of
from tests.support.chance import DICE
from tests.support.lottery_harness import PEOPLE, Town, drawn, everybody_is_in
from tests.support.places_harness import After, results_are_out

ROLLED_AGAIN = DICE[::-1]


async def test_a_second_draw_has_its_own_randomness_and_the_first_stays_public(town: Town):
    await drawn(town)
    name, office = town.campaign.id, town.office
    await office.publish()
    first = json.loads(bytes((await office.published.transcript(name)).body))
    assert await office.redraw() == f"{name}-2"
    assert await office.finish()
    await office.enter_chance(ROLLED_AGAIN)
    assert await office.run()
    assert await office.publish()
    second = json.loads(bytes((await office.published.transcript(name)).body))
    assert json.loads(bytes((await office.published.transcript(name, 1)).body)) == first
    assert verify_transcript(first).passed
    assert verify_transcript(second).passed
    assert first["winners"] != second["winners"]
    assert (first["rows"], json.loads(second["manifest"])["previous"]["draw"]) == (second["rows"], f"{name}-1")
    shown = (await office.published.draws(name))["draws"]
    assert [(each["number"], each["state"]) for each in shown] == [(1, "published"), (2, "published")]
    kept = await office.store.db[OUTCOMES].find({"draw": f"{name}-2"}).to_list(None)
    assert len(kept) == PEOPLE


async def test_a_list_that_was_wrong_is_opened_frozen_by_a_person_and_drawn_anew(town: Town):
    await everybody_is_in(town)
    name, office = town.campaign.id, town.office
    await office.freeze()
    await office.redraw(reopen=True)
    late = new_applicant(name, "post")
    item = late.accepted([(town.campaign.classes[0].id, 1)])
    on_the_roll = roll_of(name, [*town.people, late])
    await office.store.transact(lambda uow: handlers.on_receipts_closed([on_the_roll], uow))
    await office.store.transact(
        lambda uow: handlers.on_accepted([ApplicationsAccepted(campaign=name, items=(item,))], uow)
    )
    await office.scheduler.advance(town.campaign)
    assert (await office.draw()).state == "open"
    await office.freeze()
    assert json.loads((await office.draw()).manifest_line)["rows"] == PEOPLE + 1
    first = await office.published.draw(name, 1)
    assert json.loads(first.manifest.line)["rows"] == PEOPLE


async def test_an_open_draw_is_not_given_up(town: Town):
    with pytest.raises(WrongStateError):
        await town.office.redraw()


async def test_randomness_meant_for_a_draw_that_was_given_up_is_refused(town: Town):
    await everybody_is_in(town)
    await town.office.freeze()
    await town.office.redraw(reopen=True)
    with pytest.raises(WrongStateError):
        await town.office.enter_chance()


async def test_a_proof_shows_that_an_entry_is_on_the_list_or_is_not(town: Town):
    await everybody_is_in(town)
    name, published = town.campaign.id, town.office.published
    await town.office.freeze()
    root = json.loads((await town.office.draw()).manifest_line)["root"]
    for applicant in town.people[::50]:
        proof = await published.proof_of_entry(name, applicant.entry)
        assert check_proof(proof, root) is True
        assert check_proof(proof, root[::-1]) is None
    for stranger in ("00" * 16, "ff" * 16, new_applicant(name).entry):
        assert check_proof(await published.proof_of_entry(name, stranger), root) is False


async def test_a_dry_run_shows_counts_and_leaves_nothing_behind(town: Town):
    await everybody_is_in(town)
    store, name = town.office.store, town.campaign.id
    before = {each: await store.db[each].count_documents({}) for each in await store.db.list_collection_names()}
    shown = dry_run(await ListRepository(store).gather(name), town.campaign)
    assert {each: await store.db[each].count_documents({}) for each in before} == before
    assert shown["entries"] == PEOPLE
    assert all(each["seats"] <= each["capacity"] for each in shown["classes"])
    assert not set(json.dumps(shown).split('"')) & {applicant.entry for applicant in town.people}


async def test_a_list_reads_back_as_it_was_written(town: Town):
    await everybody_is_in(town)
    await town.office.freeze()
    frozen = await ListRepository(town.office.store).read((await town.office.draw()).id)
    again = await ListRepository(town.office.store).gather(town.campaign.id)
    assert ("".join(frozen.texts()), len(frozen)) == ("".join(again.texts()), PEOPLE)
    assert CHUNK_ENTRIES * 20 <= 1024 * 1024


async def test_a_list_is_kept_also_where_everybody_ranks_the_classes_in_another_way(town: Town):
    """Store over 16 MiB of choices: more than one document of the database may hold."""
    names = [f"{number}{'-a-class-with-a-long-name' * 2}" for number in range(20)]
    ways = 14_000
    table = tuple(
        tuple((name, 1 + (number >> at & 3)) for at, name in enumerate(names[number % 7 :])) for number in range(ways)
    )
    made = FrozenList(b"".join(at.to_bytes(16, "big") for at in range(ways)), np.arange(ways, dtype=np.uint32), table)
    draw = DrawId("many-ways-1")
    await ListRepository(town.office.store).put(draw, made)
    again = await ListRepository(town.office.store).read(draw)
    assert (again.table, again.ids, again.lists.tolist()) == (made.table, made.ids, made.lists.tolist())
    assert "".join([text async for text in ListRepository(town.office.store).rows(draw)]) == "".join(made.texts())


async def test_a_correction_in_a_draw_that_was_given_up_is_repeated_in_the_next(town: Town):
    name, refused = town.campaign.id, [new_applicant(town.campaign.id) for _ in range(12)]
    event = ApplicationsRejected(campaign=name, items=tuple(applicant.rejected("grade") for applicant in refused))
    await town.office.store.transact(lambda uow: handlers.on_rejected([event], uow))
    await results_are_out(town)
    choices = tuple((each.id, each.seats[0]) for each in town.campaign.classes)
    both = list[set[tuple[str, str]]]()
    for number in (1, 2):
        after = After.of(town)
        given = {
            applicant.receipt: await after.correct(RefusedApplication(applicant.receipt, choices))
            for applicant in refused
        }
        both.append({(each, got) for each, had in given.items() for got in had})
        await after.settle()
        assert verify_transcript(await after.transcript()).passed
        if number == 1:
            await town.office.redraw()
            await town.office.finish()
            await town.office.enter_chance(ROLLED_AGAIN)
            await town.office.run()
            await town.office.publish()
    assert both[0] & both[1], "somebody had a place of the same class in both"
    numbers = {notice["slip"]["n"] // 1_000_000 for notice in await after.notices("correction")}
    assert numbers == {1, 2}
