"""Message handlers of contacts and slips. Answers and bounces are handled in `mail/`, cards in `post/`."""

from collections import defaultdict
from collections.abc import Sequence

from services.notifier.applicant_repository import Occasion, StoredSlip
from services.notifier.create_notices import record_contacts, record_slips
from services.notifier.repository import NoticeRepository
from services.notifier.rules.kinds import RESULT
from services.notifier.wall_clock import wall_now
from shared.contracts import Contact, ContactsRegistered, NoticesAsked, OutcomeSlip, PlacesOffered, ResultsPublished
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import UnitOfWork

_log = get_logger(__name__)

# Events of one batch are written together: many contacts come in events of their own.


async def on_contacts(events: Sequence[ContactsRegistered], uow: UnitOfWork) -> None:
    """Store contacts and create their notices."""
    contacts: defaultdict[CampaignId, list[Contact]] = defaultdict(list)
    for event in events:
        contacts[event.campaign] += event.items
    for campaign, items in contacts.items():
        await record_contacts(uow, campaign, items)


async def on_results(events: Sequence[ResultsPublished], uow: UnitOfWork) -> None:
    """Store the slips of a draw and create their notices."""
    slips: defaultdict[CampaignId, list[StoredSlip]] = defaultdict(list)
    for event in events:
        slips[event.campaign] += [_stored(slip, Occasion(RESULT)) for slip in event.items]
    await _record(uow, slips)


async def on_places(events: Sequence[PlacesOffered], uow: UnitOfWork) -> None:
    """Store the slips of places that changed and create their notices."""
    slips: defaultdict[CampaignId, list[StoredSlip]] = defaultdict(list)
    for event in events:
        slips[event.campaign] += [_stored(item.slip, Occasion(item.kind, item.class_id)) for item in event.items]
    await _record(uow, slips)


async def on_asked(events: Sequence[NoticesAsked], uow: UnitOfWork) -> None:
    """Send notices once more that applicants asked for by telephone; what is not possible now is passed over."""
    notices, now = NoticeRepository.within(uow), wall_now()
    for event in events:
        for asked in event.items:
            is_possible = await notices.ask_again(asked, event.campaign, now)
            _log.info("notice-asked", campaign=event.campaign, state="taken" if is_possible else "refused")


async def _record(uow: UnitOfWork, slips: dict[CampaignId, list[StoredSlip]]) -> None:
    for campaign, items in slips.items():
        await record_slips(uow, campaign, items)


def _stored(slip: OutcomeSlip, occasion: Occasion) -> StoredSlip:
    return StoredSlip(slip.token, slip.n, slip.to_document(), (occasion,))
