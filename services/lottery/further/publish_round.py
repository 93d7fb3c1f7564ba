"""Publish the results of a further round in parts, each exactly once, however often a process dies on the way.

Winners are told by a slip of the kind `place-won`. An entry that won nothing keeps its result and is told nothing new:
its new waiting list, if any, stands in its later slips, on its own page and in the transcript.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.outcome_repository import OutcomeRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.entry import Entry, ListedEntry
from services.lottery.draw.rules.result import DrawnResult, Result
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.draw.run import allocate_draw
from services.lottery.further.rules.results import RoundResult, merge_results
from services.lottery.places.repository import PlaceRepository
from services.lottery.places.stored_place import StoredPlace, places_of_result
from services.lottery.promotion.history import empty_lists
from services.lottery.promotion.states import Move
from services.lottery.promotion.waiting_list import PlaceEvent
from services.lottery.results.publish import ListDiffersError, finish_publishing
from services.lottery.results.rules.outcomes import Outcomes
from services.lottery.slips import FURTHER_RESULT, SlipIssue, SlipSigner
from shared.codes import EntryId
from shared.contracts import BATCH_LIMIT, IssuedSlip, PlaceNotice, PlacesOffered, SlipsIssued
from shared.ids import ClassId, derived_event_id
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


@dataclass(frozen=True)
class _Part:
    """Part of a list: its results in the round alone, and what they change."""

    number: int
    of_round: Sequence[Result]
    changes: Sequence[RoundResult]


class FurtherPublisher:
    """Publishes the results of further rounds."""

    def __init__(self, store: Store, signer: SlipSigner) -> None:
        self._store, self._signer = store, signer
        self._entries, self._lists = EntryRepository(store), ListRepository(store)

    async def publish_if_drawn(self, draw: Draw) -> bool:
        """Publish the parts that are not published yet. Return True if this call finished it."""
        if draw.state is not DrawState.DRAWN or draw.further is None:
            return False
        frozen, places = await self._lists.read(draw.id), await self._lists.places(draw.id)
        outcomes = Outcomes(await asyncio.to_thread(allocate_draw, draw, frozen, places), frozen)
        parts = -(-len(frozen) // BATCH_LIMIT)
        try:
            for number in range(draw.parts_published, parts):
                await self._publish(draw, await self._part(draw, frozen, outcomes, number))
            await finish_publishing(self._store, draw, parts)
        except WrongStateError:
            return False
        _log.info("results-published", campaign=draw.campaign, parts=parts, count=len(frozen))
        return True

    async def _part(self, draw: Draw, frozen: FrozenList, outcomes: Outcomes, number: int) -> _Part:
        """Return part `number`, from 0. Raises ListDiffersError if an entry of the list is gone."""
        start = number * BATCH_LIMIT
        span = range(start, min(start + BATCH_LIMIT, len(frozen)))
        ids = [EntryId(frozen.id(at).hex()) for at in span]
        entries = await self._entries.of_ids(draw.campaign, ids)
        if [entry.entry for entry in entries] != ids:
            raise ListDiffersError(f"entries of campaign {draw.campaign} are not those of its frozen list any more")
        listed = [_to_listed(entry) for entry in entries]
        results = [DrawnResult.to_result(one) for one in outcomes.results(start, listed)]
        drawn = await OutcomeRepository(self._store).of_entries(draw.base, ids)
        before: dict[EntryId, dict[ClassId, StoredPlace]] = {}
        for stored in await PlaceRepository(self._store).of_entries(draw.base, ids):
            before.setdefault(stored.entry, {})[stored.class_id] = stored
        changes = [
            merge_results(drawn[one.entry], before.get(one.entry, {}), one.outcomes, empty_lists(draw.manifest))
            for one in results
        ]
        return _Part(number, results, changes)

    async def _publish(self, draw: Draw, part: _Part) -> None:
        at = datetime.fromisoformat(draw.history[-1]["at"])
        issue = SlipIssue(draw.campaign, draw.id, draw.number, FURTHER_RESULT, at)
        notices = tuple(
            PlaceNotice(kind="place-won", class_id=change.won[0], slip=self._signer.sign(issue, change.result))
            for change in part.changes
            if change.won
        )
        results = [_as_drawn(change.result) for change in part.changes]
        places = [place for one in part.of_round for place in places_of_result(draw.campaign, draw.base, one)]

        async def publish_part(uow: UnitOfWork) -> None:
            await DrawRepository(uow).count_parts(draw, part.number, 1)
            await OutcomeRepository(uow).replace(draw.campaign, draw.base, results)
            await PlaceRepository(uow).add(places)
            await PlaceRepository(uow).apply(draw.base, list(_endings(part, at)))
            if notices:
                await _emit(uow, draw, part.number, notices)

        await self._store.transact(publish_part)


async def _emit(uow: UnitOfWork, draw: Draw, number: int, notices: tuple[PlaceNotice, ...]) -> None:
    offered = PlacesOffered(campaign=draw.campaign, draw=draw.id, items=notices)
    await uow.emit(offered, derived_event_id(offered.name, draw.id, f"part-{number}"))
    slips = tuple(IssuedSlip(token=notice.slip.token, n=notice.slip.n) for notice in notices)
    issued = SlipsIssued(campaign=draw.campaign, items=slips)
    await uow.emit(issued, derived_event_id(issued.name, draw.id, f"part-{number}"))


def _endings(part: _Part, at: datetime) -> list[PlaceEvent]:
    """Return the moves that end the waiting which the winners' places forbid. They stand in no history: rules tell."""
    return [
        PlaceEvent(Move.PASSED_OVER, at, obstacle, change.result.entry, class_id, 1)
        for change in part.changes
        for class_id, obstacle in change.ended
    ]


def _to_listed(entry: Entry) -> ListedEntry:
    """Return what the result of a round needs: classes refused in the draw are not told again."""
    if entry.entry is None or entry.token is None:
        raise ValueError("an accepted entry has an entry id and a token")
    return ListedEntry(entry.entry, entry.receipt, entry.token)


def _as_drawn(result: Result) -> DrawnResult:
    outcomes = [outcome.model_dump(exclude_none=True) for outcome in result.outcomes]
    return DrawnResult(result.entry, result.receipt, result.token, outcomes)
