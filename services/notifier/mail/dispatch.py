"""The mail dispatcher: orders the notices that are due by mail from the vault's mail room, no faster than the pace."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Final

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.create_notices import new_notice_id
from services.notifier.documents import mail_document
from services.notifier.mail.repository import MailRepository
from services.notifier.repository import tokens_of
from services.notifier.rules.notice import Notice
from services.notifier.rules.pacing import Pacing
from services.notifier.wall_clock import wall_now
from shared.campaign import Campaign
from shared.contracts import NOTICE_BATCH_LIMIT, RECIPIENT_LIMIT, MailRequested, NoticeDocument
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

_BUNDLES_A_TURN: Final = 200
"""Bundles of one campaign in one turn, so that the other campaigns get theirs."""


@dataclass
class _Bundle:
    """Mails of one message: groups of notices whose applicants share a mail."""

    groups: list[list[Notice]] = field(default_factory=list)

    @property
    def recipients(self) -> list[Notice]:
        return [notice for group in self.groups for notice in group]


class MailDispatcher:
    """Order mails. `silence_s`: longest wait for an answer, after which a handler decides (seconds).

    `single_classes`: classes of mail domains that get announcements one by one.
    """

    def __init__(self, store: Store, pacing: Pacing, single_classes: Collection[str], *, silence_s: float) -> None:
        self._store, self._pacing, self._singles = store, pacing, frozenset(single_classes)
        self._silence = timedelta(seconds=silence_s)

    async def order_due_mails(self, campaign: Campaign) -> None:
        """Order bundle after bundle until none is due."""
        for bulk in (False, True):
            for _ in range(_BUNDLES_A_TURN):
                if not await self._order_bundle(campaign, bulk=bulk):
                    break

    async def give_up_waiting(self, campaign: Campaign) -> None:
        """Hand the mails that have had no answer for long over to a handler; they are never sent again by themselves.

        The vault still has the order and answers after its restart. A late answer is taken.
        """
        silent = await MailRepository(self._store.db).give_up_waiting(campaign.id, self._silence)
        if silent:
            _log.error("mail-room-silent", campaign=campaign.id, count=silent)

    async def _order_bundle(self, campaign: Campaign, *, bulk: bool) -> bool:
        """Order one bundle. Return False if nothing is due."""
        allowances = self._pacing.allowances()

        async def order(uow: UnitOfWork) -> _Bundle:
            paused = [name for name, allowance in allowances.items() if allowance < 1]
            limit = NOTICE_BATCH_LIMIT * (RECIPIENT_LIMIT // 2 if bulk else 1)
            due = await MailRepository.within(uow).list_due(campaign.id, wall_now(), bulk=bulk, but=paused, limit=limit)
            bundle = _plan(due, allowances, self._singles)
            if bundle.groups:
                documents = await _record(uow, bundle, bulk=bulk)
                await uow.emit(MailRequested(campaign=campaign.id, items=tuple(documents)))
            return bundle

        ordered = (await self._store.transact(order)).recipients
        for notice in ordered:
            self._pacing.spend(notice.mail_domain_class, 1)
        return bool(ordered)


async def _record(uow: UnitOfWork, bundle: _Bundle, *, bulk: bool) -> list[NoticeDocument]:
    """Record the orders of a bundle and return their documents."""
    mails = MailRepository.within(uow)
    if not bulk:
        await mails.record_order(bundle.recipients)
        slips = await ApplicantRepository.within(uow).load_slips(tokens_of(bundle.recipients))
        return [mail_document(group, slips) for group in bundle.groups]
    documents = []
    for group in bundle.groups:
        shared_id = new_notice_id()
        await mails.record_order(group, shared_id)
        documents.append(mail_document([group[0].model_copy(update={"document": shared_id}), *group[1:]], {}))
    return documents


def _plan(due: Sequence[Notice], allowances: Mapping[str, float], singles: Collection[str]) -> _Bundle:
    """Return the mails to order: as many as one message holds and each class of mail domains may have now.

    A mail to several recipients may overdraw the allowance of its class; the class then waits.
    """
    bundle, left = _Bundle(), dict(allowances)
    for group in _groups(due, singles):
        domain_class = group[0].mail_domain_class
        if domain_class is not None and domain_class in left:
            if left[domain_class] < 1:
                continue
            left[domain_class] -= len(group)
        bundle.groups.append(group)
        if len(bundle.groups) == NOTICE_BATCH_LIMIT:
            break
    return bundle


def _groups(due: Sequence[Notice], singles: Collection[str]) -> list[list[Notice]]:
    """Return the notices by mail: an announcement shares a mail with others of the same class of mail domains."""
    groups = [[notice] for notice in due if not _may_share(notice, singles)]
    sharing = sorted((notice for notice in due if _may_share(notice, singles)), key=_mail_key)
    for _, equal in groupby(sharing, key=_mail_key):
        group = list(equal)
        groups += [group[start : start + RECIPIENT_LIMIT] for start in range(0, len(group), RECIPIENT_LIMIT)]
    return groups


def _may_share(notice: Notice, singles: Collection[str]) -> bool:
    return notice.bulk and not notice.alone and notice.mail_domain_class not in singles


def _mail_key(notice: Notice) -> tuple[str, int, str, int]:
    """Return what applicants who share a mail have in common."""
    return notice.kind, notice.n, notice.mail_domain_class or "", notice.attempts
