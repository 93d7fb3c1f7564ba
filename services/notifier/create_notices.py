"""Create notices from contacts and slips, in whichever order these are consumed.

Each applicant gets one notice per kind and number. A newer slip replaces the notices of older ones that have not been
sent: it has everything about the application.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from services.notifier.applicant_repository import ApplicantRepository, Occasion, StoredSlip
from services.notifier.repository import NoticeRepository
from services.notifier.rules.kinds import ACKNOWLEDGEMENT, outdated, register_kind
from services.notifier.rules.notice import Notice, build_notice
from services.notifier.wall_clock import wall_now
from shared.contracts import Contact, NoticeParams
from shared.ids import CampaignId, NoticeId, Token
from shared.storage import UnitOfWork


async def record_contacts(uow: UnitOfWork, campaign: CampaignId, contacts: Sequence[Contact]) -> None:
    """Store contacts; create the notices that they ask for, and those of slips that are stored already."""
    applicants, notices = ApplicantRepository.within(uow), NoticeRepository.within(uow)
    await applicants.serialise(campaign)
    stored = await applicants.load_contacts(contact.token for contact in contacts)
    newer = {token: _keep_draw(contact, stored.get(token)) for token, contact in _newer(contacts, stored).items()}
    if not newer:
        return
    await applicants.save_contacts(campaign, list(newer.values()))
    slips = await applicants.load_slips(newer)
    of_register = [
        _new(campaign, contact, kind, contact.version)
        for contact in newer.values()
        if (kind := register_kind(contact, slips[contact.token].n if contact.token in slips else None)) is not None
        and not (kind == ACKNOWLEDGEMENT and _is_left_out(stored.get(contact.token)))
    ]
    await notices.insert_missing([*of_register, *_of_slips(campaign, slips.values(), newer)])
    await notices.revive(of_register)
    gone = [token for token, contact in newer.items() if _has_no_mail_address(contact) and token in stored]
    if gone:
        await notices.redirect_to_post(gone)
    await replace_outdated(uow, newer)


async def record_slips(uow: UnitOfWork, campaign: CampaignId, slips: Sequence[StoredSlip]) -> None:
    """Store the slips that are not older than the stored ones; create the notices of contacts that are stored."""
    applicants = ApplicantRepository.within(uow)
    await applicants.serialise(campaign)
    stored = await applicants.load_slips(slip.token for slip in slips)
    newest = _newest(slips, stored)
    changed = [slip for token, slip in newest.items() if slip != stored.get(token)]
    if not changed:
        return
    await applicants.save_slips(campaign, changed)
    contacts = await applicants.load_contacts(slip.token for slip in changed)
    await NoticeRepository.within(uow).insert_missing(_of_slips(campaign, changed, contacts))
    await replace_outdated(uow, contacts)


async def replace_outdated(uow: UnitOfWork, tokens: Collection[Token]) -> None:
    """Record of the unsent notices of these applicants which a newer slip or contact replaces."""
    applicants, notices = ApplicantRepository.within(uow), NoticeRepository.within(uow)
    open_notices = [notice for notice in await notices.list_replaceable(tokens) if not notice.bulk] if tokens else []
    if open_notices:
        owners = {notice.token for notice in open_notices}
        contacts, numbers = await applicants.load_contacts(owners), await applicants.load_slip_numbers(owners)
        await notices.replace(outdated(open_notices, contacts, numbers))


def new_notice_id() -> NoticeId:
    """Return a random id; mail servers see it in the bounce address."""
    return NoticeId(f"n-{secrets.token_hex(10)}")


def _newer(contacts: Iterable[Contact], stored: Mapping[Token, Contact]) -> dict[Token, Contact]:
    """Return the contact with the highest revision of each token, if it is higher than the stored one."""
    newer: dict[Token, Contact] = {}
    for contact in contacts:
        known = newer.get(contact.token) or stored.get(contact.token)
        if known is None or contact.revision > known.revision:
            newer[contact.token] = contact
    return newer


def _has_no_mail_address(contact: Contact) -> bool:
    """Return True if all mails to the applicant go by post; a notice after the draw names the way of itself only."""
    return contact.contact == "post" and contact.status in {"complete", "rejected"}


def _is_left_out(stored: Contact | None) -> bool:
    """Return True if the draw was without the applicant: a decision after it must not say that all is in order."""
    return stored is not None and stored.status in {"undecided", "same-person"}


def _keep_draw(contact: Contact, stored: Contact | None) -> Contact:
    """Return the contact with the draw that left the applicant out, which a decision after that draw does not name."""
    if stored is None or contact.left_out_of is not None:
        return contact
    return contact.model_copy(update={"left_out_of": stored.left_out_of})


def _newest(slips: Iterable[StoredSlip], stored: Mapping[Token, StoredSlip]) -> dict[Token, StoredSlip]:
    """Return the newest slip of each token; occasions of one number are put together."""
    newest: dict[Token, StoredSlip] = {}
    for slip in slips:
        known = newest.get(slip.token) or stored.get(slip.token)
        if known is None or slip.n > known.n:
            newest[slip.token] = slip
        elif slip.n == known.n:
            newest[slip.token] = replace(known, occasions=tuple(dict.fromkeys([*known.occasions, *slip.occasions])))
    return newest


def _of_slips(campaign: CampaignId, slips: Iterable[StoredSlip], contacts: Mapping[Token, Contact]) -> list[Notice]:
    return [
        _new(campaign, contacts[slip.token], occasion.kind, slip.n, occasion)
        for slip in slips
        if slip.token in contacts
        for occasion in slip.occasions
    ]


def _new(campaign: CampaignId, contact: Contact, kind: str, n: int, occasion: Occasion | None = None) -> Notice:
    params: NoticeParams = {"class_id": occasion.class_id} if occasion and occasion.class_id else {}
    return build_notice(new_notice_id(), campaign, contact, kind, n, wall_now(), params=params)
