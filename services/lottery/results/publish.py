"""Publish the results in parts, each exactly once, however often a process dies on the way.

Outcomes and events of a part are one transaction that also moves the draw's counter of published parts. The events' ids
derive from draw and part, so a consumer would recognise even a repetition. The vault learns which slips were issued
without going through the notifier.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import BLOCK
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.outcome_repository import OutcomeRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.entry import Entry
from services.lottery.draw.rules.result import Result
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.places.repository import PlaceRepository
from services.lottery.results.rules.outcomes import Outcomes
from services.lottery.slips import SlipIssue, SlipSigner
from shared.codes import EntryId
from shared.contracts import BATCH_LIMIT, DrawPublished, IssuedSlip, OutcomeSlip, ResultsPublished, SlipsIssued
from shared.errors import KujiError
from shared.ids import CampaignId, derived_event_id
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

PARTS_AT_ONCE = 20
"""Parts that one transaction publishes."""


class ListDiffersError(KujiError):
    """Raised when the entries are not those of the frozen list: results would go to the wrong applicants.

    Restore the entries from a backup, or redraw.
    """


class ResultPublisher:
    """Publishes the results of draws."""

    def __init__(self, store: Store, signer: SlipSigner) -> None:
        self._store, self._signer = store, signer
        self._entries, self._lists = EntryRepository(store), ListRepository(store)

    async def publish_if_drawn(self, draw: Draw) -> bool:
        """Publish the parts that are not published yet. Return True if this call finished it."""
        if draw.state is not DrawState.DRAWN:
            return False
        frozen = await self._lists.read(draw.id)
        outcomes = await asyncio.to_thread(self._outcomes, draw, frozen)
        parts = -(-len(frozen) // BATCH_LIMIT)
        try:
            await self._publish_from(draw, frozen, outcomes, parts)
            await self._finish(draw, parts)
        except WrongStateError:
            return False
        _log.info("results-published", campaign=draw.campaign, parts=parts, count=len(frozen))
        return True

    async def _publish_from(self, draw: Draw, frozen: FrozenList, outcomes: Outcomes, parts: int) -> None:
        for first in range(draw.parts_published, parts, PARTS_AT_ONCE):
            start = first * BATCH_LIMIT
            entries = await self._entries_of(draw.campaign, frozen, start)
            results, slips = await asyncio.to_thread(self._sign, draw, outcomes, start, entries)
            await self._publish(draw, results, slips, first, parts)

    def _outcomes(self, draw: Draw, frozen: FrozenList) -> Outcomes:
        manifest = draw.manifest
        return Outcomes(allocate(draw.key, frozen, manifest.classes, manifest.rules))

    def _sign(
        self, draw: Draw, outcomes: Outcomes, start: int, entries: Sequence[Entry]
    ) -> tuple[list[Result], list[OutcomeSlip]]:
        """Return results and slips. The slips bear the time of the draw, so that a repetition is the same."""
        at = datetime.fromisoformat(draw.history[-1]["at"])
        issue = SlipIssue(draw.campaign, draw.id, draw.number, 0, at)
        results = outcomes.results(start, entries)
        return results, [self._signer.sign(issue, result) for result in results]

    async def _entries_of(self, campaign: CampaignId, frozen: FrozenList, start: int) -> list[Entry]:
        """Return the entries of the next parts in the order of the list. Raises ListDiffersError."""
        first, limit = EntryId(frozen.id(start).hex()), PARTS_AT_ONCE * BATCH_LIMIT
        entries = await self._entries.accepted(campaign, first, limit)
        ids = bytes.fromhex("".join(entry.entry or "" for entry in entries))
        if ids != frozen.ids[start * BLOCK : (start + limit) * BLOCK]:
            raise ListDiffersError(f"entries of campaign {campaign} are not those of its frozen list any more")
        return entries

    async def _publish(
        self, draw: Draw, results: Sequence[Result], slips: Sequence[OutcomeSlip], first: int, parts: int
    ) -> None:
        """Publish these slips as the parts after `first` parts."""
        batches = [tuple(slips[at : at + BATCH_LIMIT]) for at in range(0, len(slips), BATCH_LIMIT)]

        async def publish_batches(uow: UnitOfWork) -> None:
            await DrawRepository(uow).count_parts(draw, first, len(batches))
            await _put_outcomes(uow, draw, results)
            await PlaceRepository(uow).add_results(draw.campaign, draw.id, results)
            for number, items in enumerate(batches, first + 1):
                event = ResultsPublished(campaign=draw.campaign, draw=draw.id, part=number, parts=parts, items=items)
                await uow.emit(event, derived_event_id(event.name, draw.id, str(number)))
                issued = SlipsIssued(campaign=draw.campaign, items=tuple(map(_issued, items)))
                await uow.emit(issued, derived_event_id(issued.name, draw.id, f"part-{number}"))

        await self._store.transact(publish_batches)

    async def _finish(self, draw: Draw, parts: int) -> None:
        async def finish_publishing(uow: UnitOfWork) -> None:
            await DrawRepository(uow).finish_publishing(draw, parts)
            published = DrawPublished(campaign=draw.campaign, draw=draw.id)
            await uow.emit(published, derived_event_id(published.name, draw.id))

        await self._store.transact(finish_publishing)


def _issued(slip: OutcomeSlip) -> IssuedSlip:
    return IssuedSlip(token=slip.token, n=slip.n)


async def _put_outcomes(uow: UnitOfWork, draw: Draw, results: Sequence[Result]) -> None:
    """Store the outcomes. Those of a draw that corrects another one replace the other's outcomes."""
    outcomes = OutcomeRepository(uow)
    put = outcomes.add if draw.number == 1 else outcomes.replace
    await put(draw.campaign, draw.id, results)
