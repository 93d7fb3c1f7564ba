"""Ids of people whose erasure was under way when their campaign was erased. Certificates of such erasures stay."""

from typing import Final

from shared.contracts.closing import PERSON_ERASURES
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.storage import Store

NAMED: Final[JsonObject] = {"$type": "object"}
"""Value of `names` in an erasure that still holds its person's internal ids."""


async def count_named(store: Store, campaign: CampaignId) -> int:
    """Return the number of the campaign's erasures of people that still hold these ids."""
    return int(await store.db[PERSON_ERASURES].count_documents({"campaign": campaign, "names": NAMED}))


async def forget_names(store: Store, campaign: CampaignId) -> None:
    """Forget these ids."""
    await store.db[PERSON_ERASURES].update_many({"campaign": campaign, "names": NAMED}, {"$unset": {"names": ""}})


async def count_without_verdict(store: Store, campaign: CampaignId) -> int:
    """Return the number of the campaign's erasures of people that have no certificate, not even one with residue."""
    query = {"campaign": campaign, "stage": {"$ne": "certified"}, "verdict": {"$exists": False}}
    return int(await store.db[PERSON_ERASURES].count_documents(query))
