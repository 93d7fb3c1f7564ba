"""Pages that were drawn are kept for a while, encrypted, each for its own paper, and no more of them than agreed."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import NotDecryptableError
from services.vault.papers.drawn_pages import DrawnPages, FirstPage
from shared.ids import CampaignId, PaperId, new_application_id

CAMPAIGN = CampaignId("c")
KEYS = CampaignKeys.generate(CAMPAIGN, datetime(2030, 1, 1, tzinfo=UTC))


class Decoder:
    """Draws pages of 1,000 bytes, and counts them."""

    def __init__(self) -> None:
        self.runs = 0

    async def draw(self) -> FirstPage:
        self.runs += 1
        await asyncio.sleep(0)
        return FirstPage(bytes(1_000), {"name": (0.0, 0.0, 1.0, 1.0)})


def new_paper() -> PaperId:
    return PaperId(new_application_id())


async def test_calls_at_the_same_time_and_afterwards_share_one_run():
    drawn, decoder, paper = DrawnPages(), Decoder(), new_paper()
    pages = await asyncio.gather(*(drawn.get(KEYS, CAMPAIGN, paper, decoder.draw) for _ in range(3)))
    pages.append(await drawn.get(KEYS, CAMPAIGN, paper, decoder.draw))
    assert decoder.runs == 1
    assert all(page == pages[0] for page in pages)


async def test_a_caller_who_goes_away_takes_the_page_from_nobody():
    drawn, decoder, paper = DrawnPages(), Decoder(), new_paper()
    gone = asyncio.create_task(drawn.get(KEYS, CAMPAIGN, paper, decoder.draw))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await drawn.get(KEYS, CAMPAIGN, paper, decoder.draw)).picture == bytes(1_000)
    assert decoder.runs == 1


async def test_a_run_that_failed_is_made_again():
    drawn, decoder, paper = DrawnPages(), Decoder(), new_paper()

    async def fail() -> FirstPage:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  (the one raised above)
        await drawn.get(KEYS, CAMPAIGN, paper, fail)
    assert (await drawn.get(KEYS, CAMPAIGN, paper, decoder.draw)).picture == bytes(1_000)


async def test_without_the_campaigns_key_a_kept_page_does_not_open():
    drawn, decoder, paper = DrawnPages(), Decoder(), new_paper()
    await drawn.get(KEYS, CAMPAIGN, paper, decoder.draw)
    other = CampaignKeys.generate(CAMPAIGN, datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(NotDecryptableError):
        await drawn.get(other, CAMPAIGN, paper, decoder.draw)


@pytest.mark.parametrize(("most_bytes", "kept_s"), [(2_500, 60.0), (1_000_000, -1.0)], ids=["bytes", "age"])
async def test_the_oldest_page_goes_first_and_every_page_in_the_end(most_bytes: int, kept_s: float):
    drawn, decoder, papers = DrawnPages(most_bytes, kept_s), Decoder(), [new_paper() for _ in range(3)]
    for paper in papers:
        await drawn.get(KEYS, CAMPAIGN, paper, decoder.draw)
    await drawn.get(KEYS, CAMPAIGN, papers[0], decoder.draw)
    assert decoder.runs == 4


async def test_a_page_goes_when_its_time_is_over_also_if_nobody_asks_for_another():
    drawn, decoder = DrawnPages(kept_s=0.05), Decoder()
    await drawn.get(KEYS, CAMPAIGN, new_paper(), decoder.draw)
    assert len(drawn) == 1
    await asyncio.sleep(0.2)
    assert len(drawn) == 0


async def test_the_page_of_an_erased_paper_is_forgotten_and_no_other():
    drawn, decoder, papers = DrawnPages(), Decoder(), [new_paper() for _ in range(2)]
    for paper in papers:
        await drawn.get(KEYS, CAMPAIGN, paper, decoder.draw)
    drawn.forget([papers[0], "unknown"])
    assert len(drawn) == 1
    await drawn.get(KEYS, CAMPAIGN, papers[1], decoder.draw)
    assert decoder.runs == 2
