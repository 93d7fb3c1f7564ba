"""Create notices from contacts, results and offers, in whichever order these are consumed.

Each application gets one notice per occasion: its rejection, each draw, and each later change of its places. The
results of a draw that corrects another one replace the notices that have not been sent.
"""

import secrets
from collections.abc import Iterable, Sequence

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import REJECTED_OCCASION, Notice, NoticeKind, build_notice, draw_number
from services.notifier.wall_clock import wall_now
from shared.contracts import Contact, PlaceOffer, Result
from shared.ids import ApplicationId, CampaignId, DrawId, NoticeId
from shared.storage import UnitOfWork


async def record_contacts(uow: UnitOfWork, campaign: CampaignId, contacts: Sequence[Contact]) -> None:
    """Store contacts; create the notices of rejections, and of results and offers that are stored already."""
    applicants = ApplicantRepository.within(uow)
    await applicants.serialise(campaign)
    await applicants.save_contacts(campaign, contacts)
    by_id = {contact.application_id: contact for contact in contacts}
    accepted = [contact.application_id for contact in by_id.values() if contact.status == "accepted"]
    rejected = [contact for contact in contacts if contact.status == "rejected"]
    results, offers = await applicants.load_results(accepted), await applicants.load_offers(by_id)
    notices = [
        *(_new(campaign, contact, "rejected", REJECTED_OCCASION) for contact in rejected),
        *(_new(campaign, by_id[drawn.result.application_id], "result", drawn.draw) for drawn in results),
        *(_new(campaign, by_id[offer.application_id], "offer", offer.occasion) for offer in offers),
    ]
    await NoticeRepository.within(uow).insert_missing(notices)


async def record_results(uow: UnitOfWork, campaign: CampaignId, draw: DrawId, results: Sequence[Result]) -> None:
    """Store results and create the notices of the contacts that are stored. Results of an earlier draw are ignored."""
    applicants, notices = ApplicantRepository.within(uow), NoticeRepository.within(uow)
    await applicants.serialise(campaign)
    last_draws = await applicants.last_draws(_ids(results))
    current = [result for result in results if _is_current(draw, last_draws.get(result.application_id))]
    if not current:
        return
    await applicants.save_results(campaign, draw, current)
    await notices.replace_unsent([
        result.application_id for result in current if last_draws.get(result.application_id, draw) != draw
    ])  # fmt: skip
    contacts = await applicants.load_contacts(_ids(current), "accepted")
    await notices.insert_missing([
        _new(campaign, contacts[result.application_id], "result", draw)
        for result in current
        if result.application_id in contacts
    ])  # fmt: skip


async def record_offers(uow: UnitOfWork, campaign: CampaignId, draw: DrawId, offers: Sequence[PlaceOffer]) -> None:
    """Store offers and create the notices of the contacts that are stored. Offers of an earlier draw are ignored."""
    applicants = ApplicantRepository.within(uow)
    await applicants.serialise(campaign)
    last_draws = await applicants.last_draws(_ids(offers))
    current = [offer for offer in offers if _is_current(draw, last_draws.get(offer.application_id))]
    if not current:
        return
    await applicants.save_offers(campaign, draw, current)
    contacts = await applicants.load_contacts(_ids(current))
    await NoticeRepository.within(uow).insert_missing([
        _new(campaign, contacts[offer.application_id], "offer", offer.occasion)
        for offer in current
        if offer.application_id in contacts
    ])  # fmt: skip


def _ids(items: Iterable[Result | PlaceOffer]) -> list[ApplicationId]:
    return [item.application_id for item in items]


def _is_current(draw: DrawId, last_draw: DrawId | None) -> bool:
    return draw_number(last_draw) <= draw_number(draw)


def _new(campaign: CampaignId, contact: Contact, kind: NoticeKind, occasion: str) -> Notice:
    return build_notice(_new_notice_id(), campaign, contact, kind, occasion, wall_now())


def _new_notice_id() -> NoticeId:
    """Return a random id. Mail servers see it beside the address, and application ids are public (protocols.md §2)."""
    return NoticeId(f"n-{secrets.token_hex(10)}")
