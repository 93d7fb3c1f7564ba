"""Slips of applications whose places changed, published in the transaction that moves the places.

A slip says the state of all classes of the application. Of several events of one application in one transaction, the
first names the kind of the notice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.lottery.draw.outcome_repository import OutcomeRepository
from services.lottery.draw.rules.result import Result
from services.lottery.places.present_outcomes import present_outcomes
from services.lottery.places.published_draw import PublishedDraw
from services.lottery.places.stored_place import StoredPlace
from services.lottery.promotion.states import Move
from services.lottery.promotion.waiting_list import PlaceEvent
from services.lottery.slips import FURTHER_RESULT, SlipIssue, SlipSigner
from shared.codes import EntryId
from shared.contracts import BATCH_LIMIT, IssuedSlip, PlaceNotice, PlaceNoticeKind, PlacesOffered, SlipsIssued
from shared.ids import ClassId, derived_event_id

_KINDS: Final[Mapping[Move, PlaceNoticeKind]] = {
    Move.OFFERED: "offer",
    Move.PROMOTED: "place-won",
    Move.ACCEPTED: "place-won",
    Move.CORRECTED: "correction",
    Move.EXPIRED: "offer-expired",
    Move.DECLINED: "place-withdrawn",
    Move.WITHDRAWN: "place-withdrawn",
}
"""Kind of the notice after each move. The others give none by themselves.

A class is passed over only together with another move of the same application. A place is released when nobody of it
came to the class: then there is nothing left that the applicant could do.
"""


@dataclass(frozen=True)
class _Change:
    """First event of an application that is announced, and the number of its last event in the transaction."""

    number: int
    event: PlaceEvent


async def publish_notices(published: PublishedDraw, events: Sequence[PlaceEvent], signer: SlipSigner) -> None:
    """Publish `PlacesOffered` and `SlipsIssued` for the applications that these events moved.

    Call after `PublishedDraw.record`, in the same transaction.
    """
    changes = _changes(published, events)
    items = await _sign(published, changes, signer) if changes else []
    for start in range(0, len(items), BATCH_LIMIT):
        part = tuple(items[start : start + BATCH_LIMIT])
        first = str(part[0].slip.n)
        offered = PlacesOffered(campaign=published.campaign, draw=published.id, items=part)
        await published.uow.emit(offered, derived_event_id(offered.name, published.id, first))
        slips = tuple(IssuedSlip(token=notice.slip.token, n=notice.slip.n) for notice in part)
        issued = SlipsIssued(campaign=published.campaign, items=slips)
        await published.uow.emit(issued, derived_event_id(issued.name, published.id, first))


def _changes(published: PublishedDraw, events: Sequence[PlaceEvent]) -> dict[EntryId, _Change]:
    """Return what is announced, by entry."""
    changes: dict[EntryId, _Change] = {}
    for number, event in enumerate(events, published.seq + 1):
        entry = EntryId(event.entry)
        if entry in changes:
            changes[entry] = _Change(number, changes[entry].event)
        elif event.move in _KINDS:
            changes[entry] = _Change(number, event)
    return changes


async def _sign(published: PublishedDraw, changes: Mapping[EntryId, _Change], signer: SlipSigner) -> list[PlaceNotice]:
    drawn = await OutcomeRepository(published.uow).of_entries(published.base, list(changes))
    places: dict[EntryId, dict[ClassId, StoredPlace]] = {}
    for stored in await published.places.of_entries(published.base, list(changes)):
        places.setdefault(stored.entry, {})[stored.class_id] = stored
    return [
        _notice(published, change, drawn[entry], places.get(entry, {}), signer) for entry, change in changes.items()
    ]


def _notice(
    published: PublishedDraw,
    change: _Change,
    drawn: Result,
    places: Mapping[ClassId, StoredPlace],
    signer: SlipSigner,
) -> PlaceNotice:
    draw, event = published.draw, change.event
    number = change.number + (FURTHER_RESULT if draw.further else 0)
    issue = SlipIssue(draw.campaign, draw.id, draw.number, number, published.at)
    present = Result(drawn.entry, drawn.receipt, drawn.token, present_outcomes(drawn.outcomes, places))
    return PlaceNotice(kind=_KINDS[event.move], class_id=ClassId(event.class_id), slip=signer.sign(issue, present))
