"""An erasure asked for in the middle of a draw: no half list is signed, and nothing is said to the wrong people."""

from pathlib import Path

import pytest

from services.lottery.draw import repository as ledger
from services.lottery.draw.randomness_entry import Dice
from services.lottery.draw.transitions import WrongState, draw_of
from services.lottery.erasure import Erasure
from services.lottery.keys import LotteryKeys
from services.lottery.results.publish import ListDiffers
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
    with pytest.raises(WrongState, match="erasing"):
        await town.office.freezing.freeze(town.campaign.id)


async def test_a_list_that_is_being_written_is_written_before_its_entries_go(town: Town, tmp_path: Path):
    await everybody_is_in(town)
    await town.office.freezing.close(town.campaign.id)
    erasure = await _asked(town, tmp_path)
    await erasure.carry_out(town.campaign)
    assert await _entries(town) == PEOPLE
    assert await town.office.freezing.finish(town.campaign.id)
    await erasure.carry_out(town.campaign)
    assert await _entries(town) == 0


async def test_nothing_is_drawn_whose_entries_may_go_at_any_moment(town: Town, tmp_path: Path):
    await everybody_is_in(town)
    await town.office.freezing.freeze(town.campaign.id)
    await town.office.chance.give_dice(town.campaign.id, Dice(DICE, DICE, WITNESSES), "yamada")
    await _asked(town, tmp_path)
    assert not await town.office.drawing.draw_if_possible(town.campaign.id)
    assert (await draw_of(town.office.store, town.campaign.id))["state"] == "frozen"


async def test_results_are_not_said_from_entries_that_are_not_those_of_the_list(town: Town):
    """One entry less, and everybody after it would be told the result of a neighbour."""
    await drawn(town)
    entries = town.office.store.db[ledger.ENTRIES]
    lost = await entries.find_one_and_delete({"_id": sorted(town.ids)[1]})
    with pytest.raises(ListDiffers):
        await town.office.publishing.publish_if_drawn(town.campaign.id)
    assert await said(town) == []
    await entries.insert_one(lost)
    assert await town.office.publishing.publish_if_drawn(town.campaign.id)


async def _asked(town: Town, folder: Path) -> Erasure:
    """Asked for, and not yet carried out."""
    erasure = Erasure(town.office.store, LotteryKeys(folder), NoQueues())
    event = ErasureRequested(campaign=town.campaign.id, erasure_id="e-1")
    await town.office.store.transact(lambda uow: erasure.on_requested([event], uow))
    return erasure


async def _entries(town: Town) -> int:
    return await town.office.store.db[ledger.ENTRIES].count_documents({"campaign": town.campaign.id})
