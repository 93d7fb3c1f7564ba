"""A paper that is inspected slowly holds up no other one, and is inspected once."""

import asyncio

import pytest

from services.vault.papers.sandbox import Sandbox
from services.vault.papers.slow_lane import SlowLane, SlowPaperError
from shared.ids import PaperId
from shared.paper_files import FileFacts, Kind, NotAPaperError
from tests.support import fax_images
from tests.support.waiting import until

SLOW, OTHER, THIRD = PaperId("slow"), PaperId("other"), PaperId("third")
QUICK_S = 0.2
FAR_LESS_S = 10 * QUICK_S


class Inspection:
    """An inspection that ends when the test says so."""

    def __init__(self) -> None:
        self.begun, self.ended = 0, asyncio.Event()

    async def run(self) -> str:
        self.begun += 1
        await self.ended.wait()
        return "inspected"


async def at_once() -> str:
    return "at once"


async def test_the_next_paper_waits_for_a_slow_one_for_a_short_time_only():
    lane, slow = SlowLane[str](QUICK_S), Inspection()
    async with asyncio.timeout(FAR_LESS_S):
        with pytest.raises(SlowPaperError):
            await lane.get(SLOW, slow.run)
        assert await lane.get(OTHER, at_once) == "at once"
    async with asyncio.timeout(QUICK_S / 2):
        with pytest.raises(SlowPaperError):
            await lane.get(SLOW, slow.run)
    slow.ended.set()
    await asyncio.sleep(0)
    assert (await lane.get(SLOW, slow.run), slow.begun) == ("inspected", 1)


async def test_a_slow_paper_whose_inspection_fails_says_so_when_it_comes_again():
    lane, slow = SlowLane[str](0.0), Inspection()

    async def fail() -> str:
        await slow.run()
        raise NotAPaperError("damaged")

    with pytest.raises(SlowPaperError):
        await lane.get(SLOW, fail)
    slow.ended.set()
    await asyncio.sleep(0.01)
    with pytest.raises(NotAPaperError):
        await lane.get(SLOW, fail)


async def test_only_so_many_go_on_and_results_that_were_left_make_room():
    lane, slow, third = SlowLane[str](0.0, most=1), Inspection(), Inspection()
    for paper, inspection in ((SLOW, slow), (OTHER, third)):
        with pytest.raises(SlowPaperError):
            await lane.get(paper, inspection.run)
    third.ended.set()
    slow.ended.set()
    await asyncio.sleep(0.01)
    again = Inspection()
    with pytest.raises(SlowPaperError):
        await lane.get(THIRD, again.run)
    again.ended.set()
    await asyncio.sleep(0.01)
    assert await lane.get(THIRD, again.run) == "inspected"


async def test_a_real_inspection_goes_on_beside_the_queue():
    lane, file = SlowLane[FileFacts](0.0), fax_images.fax(98)
    found: list[FileFacts] = []

    async def inspected() -> bool:
        try:
            found.append(await lane.get(SLOW, lambda: Sandbox().inspect(file)))
        except SlowPaperError:
            return False
        return True

    assert not await inspected()
    await until(inspected)
    assert found == [FileFacts(Kind.TIFF, 1)]
