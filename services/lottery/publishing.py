"""Saying the results: in parts, each exactly once, however often a process dies on the way.

A part's outcomes and its event are one transaction that also moves the draw's counter of parts said; the event id
derives from draw and part, so even a repetition would be recognised.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from services.lottery import ledger
from services.lottery.keys import LotteryKeys
from services.lottery.manifest import Manifest
from services.lottery.outcomes import results
from services.lottery.passes import Pass, write_pass
from services.lottery.randomness import Randomness, draw_key
from services.lottery.rows import read_rows
from services.lottery.states import DrawState
from services.lottery.steps import WrongState, draw_of
from shared.campaign import Campaign
from shared.contracts import BATCH_LIMIT, Result, ResultsPublished
from shared.ids import CampaignId, ClassId, DrawId, derived_event_id
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

PARTS_AT_ONCE = 20

PASS_EARLY = timedelta(hours=6)
"""So long before a class starts its passes are good: reception opens when the doors do."""


class Publishing:
    def __init__(self, store: Store, keys: LotteryKeys, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._keys, self._campaigns = store, keys, campaigns

    async def publish_if_drawn(self, campaign: CampaignId) -> bool:
        """Say what has not been said yet; whether this call finished it."""
        draw = await draw_of(self._store, campaign)
        if draw["state"] != DrawState.DRAWN:
            return False
        said = await self._results(campaign, draw)
        parts = [said[at : at + BATCH_LIMIT] for at in range(0, len(said), BATCH_LIMIT)]
        start = int(draw.get("parts_said", 0))
        try:
            for at in range(start, len(parts), PARTS_AT_ONCE):
                await self._say(campaign, draw["draw"], parts, at)
            await self._finish(campaign, len(parts))
        except WrongState:
            return False
        _log.info("results-published", campaign=campaign, parts=len(parts), count=len(said))
        return True

    async def _results(self, campaign: CampaignId, draw: dict[str, Any]) -> list[Result]:
        manifest = Manifest.read(draw["manifest"])
        key = draw_key(manifest.line, Randomness(draw.get("dice"), draw.get("beacon_signature")))
        entries = read_rows(await ledger.get_text(self._store, f"{draw['draw']}:rows"))
        documents = await self._store.transact(lambda uow: ledger.accepted(uow, campaign))
        name, rule = draw["draw"], self._campaigns[campaign]
        return await asyncio.to_thread(
            results,
            key,
            documents,
            entries,
            manifest.classes,
            manifest.rules,
            lambda application_id: self._keys.pass_code(campaign, name, application_id),
            lambda entry, class_id, seats: write_pass(
                self._keys.signing, campaign, pass_of(rule, entry, class_id, seats)
            ),
        )

    async def _say(self, campaign: CampaignId, name: DrawId, parts: Sequence[Sequence[Result]], start: int) -> None:
        end = min(start + PARTS_AT_ONCE, len(parts))

        async def work(uow: UnitOfWork) -> None:
            await _move(uow, campaign, {"parts_said": end}, said=start)
            for number in range(start, end):
                items = tuple(parts[number])
                event = ResultsPublished(campaign=campaign, draw=name, part=number + 1, parts=len(parts), items=items)
                documents = [_kept(campaign, item) for item in items]
                await uow.db[ledger.OUTCOMES].insert_many(documents, session=uow.session)
                await uow.emit(event, derived_event_id(event.name, name, str(number + 1)))

        await self._store.transact(work)

    async def _finish(self, campaign: CampaignId, parts: int) -> None:
        async def work(uow: UnitOfWork) -> None:
            await _move(uow, campaign, {"state": DrawState.PUBLISHED}, said=parts)

        await self._store.transact(work)


def pass_of(campaign: Campaign, entry: bytes, class_id: ClassId, seats: int) -> Pass:
    """Valid from some hours before the class until it ends."""
    event_class = campaign.event_class(class_id)
    assert event_class is not None  # noqa: S101  (the draw was over the campaign's own classes)
    return Pass(entry, event_class.number, seats, event_class.starts - PASS_EARLY, event_class.ends)


async def _move(uow: UnitOfWork, campaign: CampaignId, values: dict[str, Any], *, said: int) -> None:
    """Only from the place where this process believes the draw to be. Raises WrongState where another was faster."""
    counter: Any = {"$in": [None, 0]} if said == 0 else said
    moved = await uow.db[ledger.DRAWS].update_one(
        {"_id": campaign, "state": DrawState.DRAWN, "parts_said": counter}, {"$set": values}, session=uow.session
    )
    if moved.modified_count == 0:
        raise WrongState("being published by another process")


def _kept(campaign: CampaignId, item: Result) -> dict[str, Any]:
    outcomes = [outcome.model_dump(exclude_none=True) for outcome in item.outcomes]
    return {
        "_id": item.application_id,
        "campaign": campaign,
        "receipt": item.receipt,
        "token": item.token,
        "outcomes": outcomes,
    }
