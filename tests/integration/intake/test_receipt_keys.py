"""The receipt key of a campaign: one for all processes, and erased for good."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.collections import COLLECTIONS
from services.intake.receipts.key_repository import RECEIPT_KEYS, NoReceiptKeyError, ReceiptKeyRepository
from services.intake.rules.states import Stage
from shared.ids import CampaignId
from shared.storage import Store
from tests.support.databases import own_database
from tests.support.draw_builders import sample_campaign

CAMPAIGN, OTHER = CampaignId("777-days"), CampaignId("other")


@pytest.fixture
async def store(mongo_url: str, namespace: str) -> AsyncIterator[Store]:
    async with own_database(mongo_url, f"{namespace}_intake") as store:
        await store.ensure(COLLECTIONS)
        await CampaignStageRepository(store).ensure([CAMPAIGN, OTHER])
        yield store


def process(store: Store) -> ReceiptKeyRepository:
    """Return the repository as another process has it."""
    return ReceiptKeyRepository(store, CampaignStageRepository(store))


async def test_processes_that_start_at_once_share_one_key_and_campaigns_share_none(store: Store) -> None:
    processes = [process(store) for _ in range(8)]
    await asyncio.gather(*(each.ensure([CAMPAIGN, OTHER]) for each in processes))
    keys = {await each.find(CAMPAIGN) for each in processes}
    assert {len(key) for key in keys} == {32}
    assert len(keys | {await processes[0].find(OTHER)}) == 2


async def test_an_erased_key_is_forgotten_by_every_process_and_never_made_again(store: Store) -> None:
    first, second, stages = process(store), process(store), CampaignStageRepository(store)
    await first.ensure([CAMPAIGN])
    assert await first.find(CAMPAIGN) == await second.find(CAMPAIGN)
    await stages.advance(CAMPAIGN, Stage.ERASING)
    await first.delete(CAMPAIGN)
    await second.forget_if_erased(sample_campaign())
    await process(store).ensure([CAMPAIGN])
    for each in (first, second):
        with pytest.raises(NoReceiptKeyError):
            await each.find(CAMPAIGN)
    assert await store.db[RECEIPT_KEYS].count_documents({}) == 0
