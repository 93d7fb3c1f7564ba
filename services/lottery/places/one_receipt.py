"""Read what became of one application by its receipt number, for staff who answer the telephone. No token, no code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState
from services.lottery.places.history_repository import HistoryRepository, RecordedEvent
from services.lottery.places.views import own_result
from shared.campaign import Campaign
from shared.ids import Receipt
from shared.storage import Store


@dataclass(frozen=True)
class ReceiptResult:
    """State and results of one application, as the lottery knows them.

    `state`: accepted, rejected or held, as the vault judged it last. `outcomes`: one for each class, as they are now,
    none before the results are published. `events`: moves of its places after the draw, in order.
    """

    state: str
    is_published: bool
    outcomes: tuple[Mapping[str, Any], ...] = ()
    events: tuple[RecordedEvent, ...] = ()


async def read_receipt(store: Store, campaign: Campaign, receipt: Receipt) -> ReceiptResult | None:
    """Return what became of the application; None if the lottery has no verdict on this number."""
    entry = await EntryRepository(store).find(campaign.id, receipt)
    if entry is None:
        return None
    draw = await DrawRepository(store).get(campaign.id)
    if entry.entry is None or not draw.state.reached(DrawState.PUBLISHED):
        return ReceiptResult(entry.state, draw.state.reached(DrawState.PUBLISHED))
    result = await own_result(store, draw.base, entry.entry)
    events = await HistoryRepository(store).of_entry(draw.id, entry.entry)
    return ReceiptResult(entry.state, is_published=True, outcomes=tuple(result["outcomes"]), events=tuple(events))
