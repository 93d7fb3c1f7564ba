"""Make announcements, and create their notices part by part, so that a restart goes on where it was."""

from typing import Final

from services.notifier.announcements.announcement import Announcement
from services.notifier.announcements.kinds import AnnouncementKinds
from services.notifier.announcements.repository import AnnouncementRepository
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.create_notices import new_notice_id
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice, build_notice
from services.notifier.wall_clock import wall_now
from shared.approvals import ApprovalContent
from shared.approvals.used import mark_used
from shared.campaign import Campaign
from shared.contracts import Contact, NoticeParams, StaffAct
from shared.errors import KujiError
from shared.ids import CampaignId, ClassId
from shared.staff_acts import record_act
from shared.storage import Store, UnitOfWork

PART: Final = 500
"""Notices created in one transaction."""


class AnnouncedAlreadyError(KujiError):
    """Raised when the same text was announced to the same people before. `number` is of that announcement."""

    def __init__(self, number: int) -> None:
        super().__init__("the same announcement was made before")
        self.number = number


class AnnouncementService:
    """Make announcements and create their notices."""

    def __init__(self, store: Store) -> None:
        self._store, self._kinds = store, AnnouncementKinds()

    async def announce(
        self,
        campaign: Campaign,
        kind: str,
        class_id: ClassId | None,
        params: NoticeParams,
        approval: ApprovalContent,
        *,
        is_repeated: bool = False,
    ) -> Announcement:
        """Record an announcement to everybody, or to all who hold the class; its notices follow.

        Raises WrongAnnouncementError, ApprovalRefusedError for an approval that was used, and AnnouncedAlreadyError
        unless it `is_repeated` on purpose: a second click must not write to thousands of people again.
        """
        self._kinds.check(kind, params, campaign)

        async def record(uow: UnitOfWork) -> Announcement:
            announcements = AnnouncementRepository.within(uow)
            await mark_used(uow, approval)
            await ApplicantRepository.within(uow).serialise(campaign.id)
            equal = await announcements.find_equal(campaign.id, kind, class_id, params)
            if equal is not None and not is_repeated:
                raise AnnouncedAlreadyError(equal.number)
            number = len(await announcements.list_announcements(campaign.id)) + 1
            announcement = Announcement(
                id=f"{campaign.id}/{number}",
                campaign=campaign.id,
                number=number,
                kind=kind,
                class_id=class_id,
                params=params,
                actor=approval.requested_by,
                at=wall_now(),
            )
            await announcements.insert(announcement)
            case = str(number)
            await record_act(uow, "notifier", StaffAct.ANNOUNCE, announcement.actor, case, campaign.id)
            return announcement

        return await self._store.transact(record)

    async def create_notices(self, campaign: Campaign) -> None:
        """Create the notices of announcements that were made."""
        while await self.create_part(campaign.id):
            pass

    async def create_part(self, campaign: CampaignId) -> bool:
        """Create the notices of the next recipients. Return False if every announcement has all of its notices."""

        async def create(uow: UnitOfWork) -> bool:
            announcements, applicants = AnnouncementRepository.within(uow), ApplicantRepository.within(uow)
            announcement = await announcements.find_begun(campaign)
            if announcement is None:
                return False
            recipients = await applicants.list_recipients(
                campaign, announcement.class_id, after=announcement.last_token, limit=PART
            )
            contacts = await applicants.load_contacts(recipients)
            notices = [_new(announcement, contact) for contact in contacts.values()]
            await NoticeRepository.within(uow).insert_missing(notices)
            last = recipients[-1] if len(recipients) == PART else None
            await announcements.record_progress(announcement.id, len(notices), last)
            return True

        return await self._store.transact(create)


def _new(announcement: Announcement, contact: Contact) -> Notice:
    return build_notice(
        new_notice_id(),
        announcement.campaign,
        contact,
        announcement.kind,
        announcement.number,
        wall_now(),
        params=announcement.params,
        bulk=True,
    )
