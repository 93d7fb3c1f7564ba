"""Publish the results in parts, each exactly once, however often a process dies on the way.

Outcomes and events of a part are one transaction that also moves the draw's counter of published parts. The events' ids
derive from draw and part, so a consumer would recognise even a repetition. The vault learns which slips were issued
without going through the notifier.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from json.encoder import encode_basestring

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import BLOCK
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.outcome_repository import OutcomeRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.entry import ListedEntry
from services.lottery.draw.rules.result import DrawnResult
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.places.repository import PlaceRepository
from services.lottery.results.rules.outcomes import Outcomes
from services.lottery.slips import SlipIssue, SlipSigner
from shared.canonical import canonical
from shared.codes import EntryId
from shared.contracts import BATCH_LIMIT, DrawPublished, ResultsPublished, SlipsIssued
from shared.errors import KujiError
from shared.ids import CampaignId, DrawId, derived_event_id
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
        """Publish the parts that are not published yet. Return True if this call finished it.

        A further round has a publisher of its own (`services.lottery.further.publish_round`).
        """
        if draw.state is not DrawState.DRAWN or draw.further is not None:
            return False
        frozen = await self._lists.read(draw.id)
        outcomes = await asyncio.to_thread(self._outcomes, draw, frozen)
        parts = -(-len(frozen) // BATCH_LIMIT)
        try:
            await self._publish_from(draw, frozen, outcomes, parts)
            await finish_publishing(self._store, draw, parts, entries=len(frozen))
        except WrongStateError:
            return False
        _log.info("results-published", campaign=draw.campaign, parts=parts, count=len(frozen))
        return True

    async def _publish_from(self, draw: Draw, frozen: FrozenList, outcomes: Outcomes, parts: int) -> None:
        """Publish all parts that follow. The next ones are computed while the database writes these."""
        firsts = range(draw.parts_published, parts, PARTS_AT_ONCE)
        if not firsts:
            return
        computing = asyncio.create_task(self._compute(draw, frozen, outcomes, firsts[0]))
        try:
            for first in firsts:
                results, slips = await computing
                if first + PARTS_AT_ONCE < parts:
                    computing = asyncio.create_task(self._compute(draw, frozen, outcomes, first + PARTS_AT_ONCE))
                await self._publish(draw, results, slips, first, parts)
        finally:
            computing.cancel()
            await asyncio.gather(computing, return_exceptions=True)

    async def _compute(
        self, draw: Draw, frozen: FrozenList, outcomes: Outcomes, first: int
    ) -> tuple[list[DrawnResult], list[bytes]]:
        start = first * BATCH_LIMIT
        entries = await self._entries_of(draw.campaign, frozen, start)
        return await asyncio.to_thread(self._sign, draw, outcomes, start, entries)

    def _outcomes(self, draw: Draw, frozen: FrozenList) -> Outcomes:
        manifest = draw.manifest
        return Outcomes(allocate(draw.key, frozen, manifest.classes, manifest.rules), frozen)

    def _sign(
        self, draw: Draw, outcomes: Outcomes, start: int, entries: Sequence[ListedEntry]
    ) -> tuple[list[DrawnResult], list[bytes]]:
        """Return results and slips. The slips bear the time of the draw, so that a repetition is the same."""
        at = datetime.fromisoformat(draw.history[-1]["at"])
        issue = SlipIssue(draw.campaign, draw.id, draw.number, 0, at)
        writer, results = self._signer.writer(issue), outcomes.results(start, entries)
        return results, [writer.write(*result) for result in results]

    async def _entries_of(self, campaign: CampaignId, frozen: FrozenList, start: int) -> list[ListedEntry]:
        """Return the entries of the next parts in the order of the list. Raises ListDiffersError."""
        first, limit = EntryId(frozen.id(start).hex()), PARTS_AT_ONCE * BATCH_LIMIT
        entries = await self._entries.listed(campaign, first, limit)
        ids = bytes.fromhex("".join([entry.entry for entry in entries]))
        if ids != frozen.ids[start * BLOCK : (start + limit) * BLOCK]:
            raise ListDiffersError(f"entries of campaign {campaign} are not those of its frozen list any more")
        return entries

    async def _publish(
        self, draw: Draw, results: Sequence[DrawnResult], slips: Sequence[bytes], first: int, parts: int
    ) -> None:
        """Publish these slips as the parts after `first` parts."""
        placed = [result.to_result() for result in results if result.has_place]
        n = SlipIssue.number(draw.number, 0)

        async def publish_batches(uow: UnitOfWork) -> None:
            await DrawRepository(uow).count_parts(draw, first, -(-len(results) // BATCH_LIMIT))
            await _put_outcomes(uow, draw, results)
            await PlaceRepository(uow).add_results(draw.campaign, draw.id, placed)
            for number, at in enumerate(range(0, len(results), BATCH_LIMIT), first + 1):
                batch = slice(at, at + BATCH_LIMIT)
                body = write_results(draw.campaign, draw.id, number, parts, slips[batch])
                event_id = derived_event_id(ResultsPublished.name, draw.id, str(number))
                await uow.emit_written(ResultsPublished, draw.campaign, body, event_id)
                issued = write_issued(draw.campaign, n, results[batch])
                event_id = derived_event_id(SlipsIssued.name, draw.id, f"part-{number}")
                await uow.emit_written(SlipsIssued, draw.campaign, issued, event_id)

        await self._store.transact(publish_batches)


async def finish_publishing(store: Store, draw: Draw, parts: int, *, entries: int | None = None) -> None:
    """Record that all parts are published, and say so to intake and vault.

    `entries`: number of entries of the frozen list, each of which has a slip; None for a further round.
    """

    async def finish(uow: UnitOfWork) -> None:
        await DrawRepository(uow).finish_publishing(draw, parts)
        published = DrawPublished(campaign=draw.campaign, draw=draw.id, entries=entries)
        await uow.emit(published, derived_event_id(published.name, draw.id))

    await store.transact(finish)


def write_results(campaign: CampaignId, draw: DrawId, part: int, parts: int, slips: Sequence[bytes]) -> bytes:
    """Return the JSON of `ResultsPublished`. The slips are JSON already; to parse them again would cost most."""
    head = canonical({"v": 2, "campaign": campaign, "draw": draw, "part": part, "parts": parts})
    return b'%s,"items":[%s]}' % (head[:-1], b",".join(slips))


def write_issued(campaign: CampaignId, n: int, results: Sequence[DrawnResult]) -> bytes:
    """Return the JSON of `SlipsIssued`. The slips of a draw have one number."""
    items = ",".join([f'{{"n":{n:d},"token":{encode_basestring(result.token)}}}' for result in results])
    return b'{"campaign":%s,"items":[%s],"v":1}' % (encode_basestring(campaign).encode(), items.encode())


async def _put_outcomes(uow: UnitOfWork, draw: Draw, results: Sequence[DrawnResult]) -> None:
    """Store the outcomes. Those of a draw that corrects another one replace the other's outcomes."""
    outcomes = OutcomeRepository(uow)
    put = outcomes.add if draw.number == 1 else outcomes.replace
    await put(draw.campaign, draw.id, results)
