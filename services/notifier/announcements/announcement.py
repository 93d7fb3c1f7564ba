"""Announcement, as a value."""

from services.notifier.rules.notice import Record
from shared.contracts import NoticeParams
from shared.contracts.base import Moment
from shared.ids import CampaignIdField, ClassIdField, TokenField


class Announcement(Record):
    """Announcement of one campaign, and how far its notices are created."""

    id: str
    campaign: CampaignIdField
    number: int
    """`n` of its notices; the first of a campaign has 1."""
    kind: str
    class_id: ClassIdField | None = None
    """Class whose holders are its recipients; None: everybody."""
    params: NoticeParams
    actor: str
    at: Moment
    is_created: bool = False
    """True once every recipient has a notice."""
    last_token: TokenField | None = None
    """Recipients up to this token have a notice."""
    recipients: int = 0
    unmatched_reports: int = 0
    """Delivery reports on its mails that name no recipient."""
