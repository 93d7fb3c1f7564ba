"""Publish answers to the notifier, in messages of at most a hundred."""

from collections.abc import Iterable, Mapping, Sequence

from services.vault.deliveries.rules.delivery import Delivery, Outcome, answer_of
from shared.contracts import MailAnswer, MailCompleted
from shared.contracts.notices import NOTICE_BATCH_LIMIT
from shared.ids import CampaignId, EventId, derived_event_id
from shared.storage import UnitOfWork


async def publish_answers(
    uow: UnitOfWork, campaign: CampaignId, answers: Sequence[MailAnswer], occasion: str | None = None
) -> None:
    """Publish the answers. With an occasion, a repetition has the same event ids and is handled once."""
    for start in range(0, len(answers), NOTICE_BATCH_LIMIT):
        items = tuple(answers[start : start + NOTICE_BATCH_LIMIT])
        await uow.emit(MailCompleted(campaign=campaign, items=items), _event_id(campaign, occasion, start))


async def publish_outcomes(
    uow: UnitOfWork, deliveries: Iterable[Delivery], outcomes: Mapping[str, Outcome], occasion: str
) -> None:
    """Publish the answers of those deliveries that have an outcome."""
    answers: dict[CampaignId, list[MailAnswer]] = {}
    for delivery in deliveries:
        if delivery.id in outcomes:
            answer = answer_of(delivery.document, outcomes[delivery.id])
            answers.setdefault(delivery.campaign, []).append(answer)
    for campaign, items in answers.items():
        await publish_answers(uow, campaign, items, occasion)


def _event_id(campaign: CampaignId, occasion: str | None, start: int) -> EventId | None:
    return None if occasion is None else derived_event_id(MailCompleted.name, campaign, occasion, str(start))
