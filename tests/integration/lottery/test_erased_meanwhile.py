"""An erasure requested during a draw leads neither to half a signed list nor to results for the wrong applicants."""

import pytest

from services.lottery.draw.collections import ENTRIES
from services.lottery.draw.rules.states import WrongStateError
from services.lottery.erasure import LotteryStores
from services.lottery.results.publish import ListDiffersError
from shared.contracts import ErasureRequested
from shared.erasure import ErasureParticipant
from shared.erasure import collections as erasure_collections
from shared.web.wrong_proofs import WrongProofs
from tests.support.erasure_harness import PlannedQueues
from tests.support.lottery_harness import PEOPLE, Town, drawn, everybody_is_in, said
from tests.support.service_keys import service_key


async def test_a_list_whose_erasure_was_asked_for_is_not_closed(town: Town):
    await everybody_is_in(town)
    await _asked(town)
    with pytest.raises(WrongStateError, match="erasing"):
        await town.office.freeze()


async def test_a_list_that_is_being_written_is_written_before_its_entries_go(town: Town):
    await everybody_is_in(town)
    await town.office.close()
    erasure = await _asked(town)
    assert await _entries(town) == PEOPLE
    assert await town.office.finish()
    await erasure.carry_out(town.campaign)
    assert await _entries(town) == 0


async def test_a_list_whose_erasure_was_requested_is_not_drawn(town: Town):
    await everybody_is_in(town)
    await town.office.freeze()
    await town.office.enter_chance()
    await _asked(town)
    assert not await town.office.run()
    assert (await town.office.draw()).state == "frozen"


async def test_results_are_not_published_from_entries_that_differ_from_the_list(town: Town):
    """Remove one entry: without the check, later applicants would get the results of their neighbours."""
    await drawn(town)
    entries = town.office.store.db[ENTRIES]
    lost = await entries.find_one_and_delete({"entry": sorted(applicant.entry for applicant in town.people)[1]})
    with pytest.raises(ListDiffersError):
        await town.office.publish()
    assert await said(town) == []
    await entries.insert_one(lost)
    assert await town.office.publish()


async def _asked(town: Town) -> ErasureParticipant:
    """Ask for the erasure, and let the service take notice of it."""
    store = town.office.store
    await store.ensure(erasure_collections())
    stores = LotteryStores(store, WrongProofs())
    erasure = ErasureParticipant("lottery", store, stores, PlannedQueues(), service_key("lottery"))
    event = ErasureRequested(campaign=town.campaign.id, erasure_id="e-1")
    await store.transact(lambda uow: erasure.on_requested([event], uow))
    await erasure.carry_out(town.campaign)
    return erasure


async def _entries(town: Town) -> int:
    return await town.office.store.db[ENTRIES].count_documents({"campaign": town.campaign.id})
