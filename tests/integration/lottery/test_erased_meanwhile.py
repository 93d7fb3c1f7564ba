"""An erasure asked for in the middle of a draw: no half list is signed, and nothing is said to the wrong people."""

from pathlib import Path

import pytest

from services.lottery.draw.collections import ENTRIES
from services.lottery.draw.randomness_entry import Dice
from services.lottery.draw.rules.states import WrongStateError
from services.lottery.erasure import LotteryErasure
from services.lottery.keys import LotteryKeys
from services.lottery.results.publish import ListDiffersError
from shared.contracts import ErasureRequested
from shared.ids import CampaignId
from tests.support.draw_builders import DICE
from tests.support.lottery_harness import PEOPLE, WITNESSES, Town, drawn, everybody_is_in, said


class NoQueues:
    async def queue_depths(self) -> dict[str, int]:
        return {}

    async def purge_campaign(self, _: CampaignId) -> int:
        return 0


async def test_a_list_whose_erasure_was_asked_for_is_not_closed(town: Town, tmp_path: Path):
    await everybody_is_in(town)
    await _asked(town, tmp_path)
    with pytest.raises(WrongStateError, match="erasing"):
        await town.office.freeze()


async def test_a_list_that_is_being_written_is_written_before_its_entries_go(town: Town, tmp_path: Path):
    await everybody_is_in(town)
    await town.office.close()
    erasure = await _asked(town, tmp_path)
    await erasure.carry_out(town.campaign)
    assert await _entries(town) == PEOPLE
    assert await town.office.finish()
    await erasure.carry_out(town.campaign)
    assert await _entries(town) == 0


async def test_nothing_is_drawn_whose_entries_may_go_at_any_moment(town: Town, tmp_path: Path):
    await everybody_is_in(town)
    await town.office.freeze()
    await town.office.enter_dice(Dice(DICE, DICE, WITNESSES), "yamada")
    await _asked(town, tmp_path)
    assert not await town.office.run()
    assert (await town.office.draw()).state == "frozen"


async def test_results_are_not_said_from_entries_that_are_not_those_of_the_list(town: Town):
    """One entry less, and everybody after it would be told the result of a neighbour."""
    await drawn(town)
    entries = town.office.store.db[ENTRIES]
    lost = await entries.find_one_and_delete({"_id": sorted(town.ids)[1]})
    with pytest.raises(ListDiffersError):
        await town.office.publish()
    assert await said(town) == []
    await entries.insert_one(lost)
    assert await town.office.publish()


async def _asked(town: Town, folder: Path) -> LotteryErasure:
    """Asked for, and not yet carried out."""
    erasure = LotteryErasure(town.office.store, LotteryKeys(folder), NoQueues())
    event = ErasureRequested(campaign=town.campaign.id, erasure_id="e-1")
    await town.office.store.transact(lambda uow: erasure.on_requested([event], uow))
    return erasure


async def _entries(town: Town) -> int:
    return await town.office.store.db[ENTRIES].count_documents({"campaign": town.campaign.id})
