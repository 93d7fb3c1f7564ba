"""Take the mail room's answers and the reports on mails that did not arrive."""

from collections.abc import Sequence

from services.notifier.announcements.repository import AnnouncementRepository
from services.notifier.create_notices import replace_outdated
from services.notifier.mail.repository import MailRepository
from services.notifier.repository import tokens_of
from services.notifier.rules.answers import Consequence, Waits, consequence, consequence_of_report
from services.notifier.rules.notice import Notice
from services.notifier.rules.states import NOTICES, REPLACEABLE, NoticeState
from services.notifier.wall_clock import wall_now
from shared.contracts import MailAnswer, MailBounced, MailCompleted
from shared.ids import CampaignId, NoticeId
from shared.logging import get_logger
from shared.storage import UnitOfWork

_log = get_logger(__name__)

_WAIT_FOR_ANSWER = frozenset({NoticeState.MAILING, NoticeState.UNKNOWN})


class MailAnswers:
    """Move notices on by what became of their mails."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits

    async def on_completed(self, events: Sequence[MailCompleted], uow: UnitOfWork) -> None:
        """Record the answers to orders. An answer to an earlier order, or a second answer, changes nothing."""
        for event in events:
            notices = await _load(uow, event.campaign, [answer.notice for answer in event.items])
            settled: list[tuple[Notice, Consequence]] = []
            for answer in event.items:
                asked = [notice for notice in notices.pop(answer.notice, []) if _is_asked(notice, answer)]
                settled += [(notice, consequence(answer, notice, len(asked), self._waits)) for notice in asked]
            await _settle(uow, settled)

    async def on_bounced(self, events: Sequence[MailBounced], uow: UnitOfWork) -> None:
        """Record reports: the notice goes by post, or waits for a handler if the report is unclear.

        The vault does not know the notice's campaign and publishes one event for each, so that the others match
        nothing. A report on a mail to several that names none of them is counted at its announcement.
        """
        for event in events:
            notices = (await _load(uow, event.campaign, [event.notice_id])).get(event.notice_id, [])
            meant = [notice for notice in notices if event.token in {None, notice.token}]
            if event.token is None and len(meant) > 1:
                await AnnouncementRepository.within(uow).count_unmatched(event.campaign, meant[0].n)
                meant = []
            sent = [notice for notice in meant if _was_sent(notice)]
            await _settle(uow, [(notice, consequence_of_report(event, notice)) for notice in sent])


async def _load(uow: UnitOfWork, campaign: CampaignId, documents: Sequence[NoticeId]) -> dict[NoticeId, list[Notice]]:
    """Return the notices by the id in their last mail order."""
    by_document: dict[NoticeId, list[Notice]] = {}
    for notice in await MailRepository.within(uow).list_of_documents(campaign, documents):
        by_document.setdefault(notice.document, []).append(notice)
    return by_document


async def _settle(uow: UnitOfWork, settled: Sequence[tuple[Notice, Consequence]]) -> None:
    """Write what the table allows, and replace the notices that wait again although a newer one exists."""
    allowed = [(notice, after) for notice, after in settled if NOTICES.allows(notice.state, after.state)]
    await MailRepository.within(uow).settle(allowed, wall_now())
    for notice, after in allowed:
        if after.state is NoticeState.INVALID:
            _log.error("notice-invalid", campaign=notice.campaign, notice=notice.id, attempt=notice.attempts)
    await replace_outdated(uow, tokens_of(notice for notice, after in allowed if after.state in REPLACEABLE))


def _is_asked(notice: Notice, answer: MailAnswer) -> bool:
    return notice.attempts == answer.attempt and notice.state in _WAIT_FOR_ANSWER


def _was_sent(notice: Notice) -> bool:
    """Return True if the mail server may have the mail: a report on another notice is a forgery."""
    return notice.mails > 0 or notice.state is NoticeState.MAILING
