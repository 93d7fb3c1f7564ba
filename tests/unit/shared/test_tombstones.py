"""Tombstones inside a transaction: each campaign's is read once, and one that the transaction sets counts at once."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

from shared.ids import CampaignId
from shared.storage import TOMBSTONES, Database, Session, Tombstones

ERASED, OTHER, THIRD = CampaignId("erased"), CampaignId("other"), CampaignId("third")
SESSION = cast("Session", object())


class TombstoneCollection:
    """Collection with the tombstone of one campaign; remembers which campaigns were read."""

    def __init__(self) -> None:
        self.reads: list[Sequence[str]] = []

    async def find(self, query: Mapping[str, Any], *_: object, **__: object) -> AsyncIterator[Mapping[str, str]]:
        self.reads.append(query["_id"]["$in"])
        for campaign in query["_id"]["$in"]:
            if campaign == ERASED:
                yield {"_id": campaign}

    async def update_one(self, *_: object, **__: object) -> None:
        """Set a tombstone."""


def tombstones(collection: TombstoneCollection, *, within_transaction: bool) -> Tombstones:
    return Tombstones(cast("Database", {TOMBSTONES: collection}), within_transaction=within_transaction)


async def test_a_transaction_reads_each_tombstone_once() -> None:
    collection = TombstoneCollection()
    found = tombstones(collection, within_transaction=True)
    assert await found.erased_among([ERASED, OTHER, OTHER], SESSION) == {ERASED}
    assert await found.erased_among([OTHER], SESSION) == frozenset()
    assert await found.erased_among([OTHER, THIRD, ERASED], SESSION) == {ERASED}
    assert collection.reads == [[ERASED, OTHER], [THIRD]]


async def test_a_tombstone_that_the_transaction_sets_counts_for_the_rest_of_it() -> None:
    collection = TombstoneCollection()
    found = tombstones(collection, within_transaction=True)
    assert await found.erased_among([OTHER], SESSION) == frozenset()
    await found.put(OTHER, "erasure-1", "0" * 64, SESSION)
    assert await found.erased_among([OTHER], SESSION) == {OTHER}


async def test_outside_a_transaction_every_call_reads() -> None:
    collection = TombstoneCollection()
    found = tombstones(collection, within_transaction=False)
    await found.erased_among([OTHER], SESSION)
    await found.erased_among([OTHER], SESSION)
    assert collection.reads == [[OTHER], [OTHER]]
