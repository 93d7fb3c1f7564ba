"""The announcements collection."""

from typing import Any, Self

from services.notifier.announcements.announcement import Announcement
from services.notifier.collections import ANNOUNCEMENTS
from shared.contracts import NoticeParams
from shared.ids import CampaignId, ClassId, Token
from shared.storage import Database, Session, UnitOfWork


class AnnouncementRepository:
    """Read and write announcements, inside a transaction if a session is given."""

    def __init__(self, db: Database, session: Session | None = None) -> None:
        self._announcements, self._session = db[ANNOUNCEMENTS], session

    @classmethod
    def within(cls, uow: UnitOfWork) -> Self:
        """Return a repository whose reads and writes belong to the transaction."""
        return cls(uow.db, uow.session)

    async def insert(self, announcement: Announcement) -> None:
        """Insert a new announcement."""
        await self._announcements.insert_one(announcement.to_document(), session=self._session)

    async def list_announcements(self, campaign: CampaignId) -> list[Announcement]:
        """Return the announcements of the campaign, by number."""
        return await self._find({"campaign": campaign})

    async def find_equal(
        self, campaign: CampaignId, kind: str, class_id: ClassId | None, params: NoticeParams
    ) -> Announcement | None:
        """Return the last announcement with the same text to the same people, or None."""
        equal = [
            announcement
            for announcement in await self._find({"campaign": campaign, "kind": kind})
            if (announcement.class_id, announcement.params) == (class_id, params)
        ]
        return equal[-1] if equal else None

    async def find_begun(self, campaign: CampaignId) -> Announcement | None:
        """Return the oldest announcement of which some recipients have no notice yet."""
        begun = await self._find({"campaign": campaign, "is_created": False})
        return begun[0] if begun else None

    async def record_progress(self, announcement: str, recipients: int, last: Token | None) -> None:
        """Record how many recipients got a notice; `last` None: there are no more."""
        progress: dict[str, Any] = {"is_created": True} if last is None else {"last_token": last}
        await self._announcements.update_one(
            {"_id": announcement}, {"$set": progress, "$inc": {"recipients": recipients}}, session=self._session
        )

    async def count_unmatched(self, campaign: CampaignId, number: int) -> None:
        """Count a delivery report that names none of the recipients of its mail."""
        await self._announcements.update_one(
            {"campaign": campaign, "number": number}, {"$inc": {"unmatched_reports": 1}}, session=self._session
        )

    async def _find(self, selected: dict[str, Any]) -> list[Announcement]:
        cursor = self._announcements.find(selected, session=self._session).sort("number", 1)
        return [Announcement.from_document(document) async for document in cursor]
