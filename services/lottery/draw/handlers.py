"""What the lottery hears: verdicts and the roll of receipts. Order does not matter; nothing counts twice."""

from collections.abc import Sequence
from typing import Any

from services.lottery.draw import repository as draws
from shared.contracts import ApplicationsAccepted, ApplicationsHeld, ApplicationsRejected, ReceiptsClosed
from shared.storage import UnitOfWork


async def on_accepted(events: Sequence[ApplicationsAccepted], uow: UnitOfWork) -> None:
    for event in events:
        await _put(uow, event.campaign, [
            {
                "_id": item.application_id,
                "campaign": event.campaign,
                "state": "accepted",
                "channel": item.channel,
                "revision": item.revision,
                "receipt": item.receipt,
                "token": item.token,
                "choices": [choice.model_dump() for choice in item.choices],
                "refused": [refusal.model_dump() for refusal in item.refused],
                "reasons": [],
            }
            for item in event.items
        ])  # fmt: skip


async def on_rejected(events: Sequence[ApplicationsRejected], uow: UnitOfWork) -> None:
    for event in events:
        await _put(uow, event.campaign, [
            _without_choices(event.campaign, "rejected", item, list(item.reasons)) for item in event.items
        ])  # fmt: skip


async def on_held(events: Sequence[ApplicationsHeld], uow: UnitOfWork) -> None:
    for event in events:
        await _put(uow, event.campaign, [_without_choices(event.campaign, "held", item, []) for item in event.items])


async def on_receipts_closed(events: Sequence[ReceiptsClosed], uow: UnitOfWork) -> None:
    for event in events:
        await draws.put_roll(uow, event.campaign, event.part, event.parts, event.application_ids)


def _without_choices(campaign: str, state: str, item: Any, reasons: list[str]) -> dict[str, Any]:
    return {
        "_id": item.application_id,
        "campaign": campaign,
        "state": state,
        "channel": item.channel,
        "revision": item.revision,
        "receipt": None,
        "token": None,
        "choices": [],
        "refused": [],
        "reasons": reasons,
    }


async def _put(uow: UnitOfWork, campaign: Any, verdicts: list[dict[str, Any]]) -> None:
    await draws.touch_list(uow, campaign)
    await draws.put_verdicts(uow, verdicts)
