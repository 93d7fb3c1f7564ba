"""One person is erased after the draw: waiting lists keep their numbers, and no correction brings the person back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services.lottery.draw import handlers
from services.lottery.draw.collections import DRAWS, ENTRIES, OUTCOMES
from services.lottery.person_erasure import LotteryPeople
from services.lottery.places.corrections import Corrections, RefusedApplication, UnknownContactError
from services.lottery.places.published_draw import PublishedDraw
from services.lottery.places.repository import PLACES
from shared.contracts import ApplicationsRejected, PersonErased
from shared.erasure import NOBODY, PersonErasures, person_collections
from shared.ids import Receipt
from shared.receipts import normalise_receipt
from shared.storage import PERSON_TOMBSTONES, UnitOfWork
from shared.storage.erased_people import hash_name
from tests.support.applicants import Applicant, new_applicant
from tests.support.erasure_harness import PlannedQueues
from tests.support.lottery_harness import Town
from tests.support.person_harness import Service
from tests.support.places_harness import KIDS, After, results_are_out
from tests.support.service_keys import service_key


@dataclass(frozen=True)
class Named:
    """Applicant known by the receipt number alone."""

    receipt: Receipt


@pytest.fixture
async def refused(town: Town) -> list[Applicant]:
    """Publish the results of a draw from which these applications were kept out."""
    found = [new_applicant(town.campaign.id) for _ in range(12)]
    items = tuple(applicant.rejected("grade") for applicant in found)
    event = ApplicationsRejected(campaign=town.campaign.id, items=items)
    await town.office.store.transact(lambda uow: handlers.on_rejected([event], uow))
    await results_are_out(town)
    return found


@pytest.fixture
def after(town: Town, refused: list[Applicant]) -> After:
    assert refused
    return After.of(town)


async def erase(after: After, receipt: Receipt) -> PersonErased | None:
    """Erase the applicant with this receipt number in the lottery."""
    await after.store.ensure(person_collections())
    people, queues = LotteryPeople(after.store, after.clock, after.passes), PlannedQueues()
    part = PersonErasures("lottery", after.store, people, queues, service_key("lottery"), wait_s=0)
    return await Service(after.store, part, queues).erase(Named(receipt))


def application(applicant: Applicant) -> RefusedApplication:
    return RefusedApplication(applicant.receipt, ((KIDS, 1),))


async def test_the_next_position_on_a_waiting_list_stays_the_one_that_verifiers_compute(after: After):
    last = (await after.of_class(KIDS, "waiting"))[-1]
    answer = await erase(after, last["receipt"])
    assert answer is not None
    assert {row.result for row in answer.stores} == {"PASS"}
    stored = await after.store.db[PLACES].find_one({"_id": last["_id"]})
    assert stored is not None
    assert (stored["receipt"], stored["state"], stored["position"]) == (NOBODY, "gone", last["position"])
    for name in (PLACES, OUTCOMES, "person_erasures"):
        assert await after.store.db[name].count_documents({"receipt": last["receipt"]}) == 0

    async def last_position(uow: UnitOfWork) -> int:
        published = await PublishedDraw.load(uow, after.campaign.id, after.clock.now())
        return (await published.load_class(KIDS)).last_position(KIDS)

    assert await after.store.transact(last_position) == last["position"], "a correction would take its number"
    await after.settle()
    assert (await after.verified()).passed


async def test_the_tombstone_links_no_entry_to_a_receipt(after: After):
    held = (await after.of_class(KIDS, "held"))[0]
    known = await after.store.db[ENTRIES].find_one({"entry": held["entry"]})
    await erase(after, held["receipt"])
    [tombstone] = await after.store.db[PERSON_TOMBSTONES].find().to_list(None)
    assert known is not None
    names = {hash_name(after.campaign.id, name) for name in (held["receipt"], known["token"])}
    assert set(tombstone["names"]) == names


async def test_a_correction_that_began_before_the_erasure_gives_no_place(after: After, refused: list[Applicant]):
    person = refused[0]

    class Overtaken:
        """Store of a process that an erasure overtakes just before its transaction."""

        def __getattr__(self, name: str) -> Any:
            return getattr(after.store, name)

        async def transact(self, work: Callable[[UnitOfWork], Awaitable[None]]) -> None:
            await erase(after, person.receipt)
            await after.store.transact(work)

    correcting = Corrections(Overtaken(), after.clock, after.passes)  # type: ignore[arg-type]
    with pytest.raises(UnknownContactError):
        await replace(after, correcting=correcting).correct(application(person))
    assert await after.store.db[PLACES].count_documents({"receipt": person.receipt}) == 0
    assert await after.store.db[OUTCOMES].count_documents({"receipt": person.receipt}) == 0


async def test_an_erasure_writes_the_draw_so_that_a_correction_at_the_same_time_sees_it(
    after: After, refused: list[Applicant]
):
    await erase(after, refused[0].receipt)
    draw = await after.store.db[DRAWS].find_one({"_id": after.campaign.id})
    assert draw is not None
    assert draw["erased_people"] == 1


def test_nobody_has_the_number_in_place_of_an_erased_one():
    with pytest.raises(ValueError, match="not a receipt number"):
        normalise_receipt(NOBODY)
