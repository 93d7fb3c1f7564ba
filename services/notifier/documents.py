"""Make notice documents: the orders that the vault turns into mails and cards (`docs/protocols.md` §3)."""

from collections.abc import Mapping, Sequence

from services.notifier.applicant_repository import StoredSlip
from services.notifier.rules.notice import Notice
from shared.contracts import NoticeDocument
from shared.ids import Token


def card_document(notice: Notice, slips: Mapping[Token, StoredSlip]) -> NoticeDocument:
    """Return the order of this notice as a card."""
    return NoticeDocument(
        notice=notice.id,
        campaign=notice.campaign,
        kind=notice.kind,
        channel="card",
        attempt=notice.card_attempts + 1,
        n=notice.n,
        token=notice.token,
        slip=_slip_of(notice, slips),
        params=notice.params,
    )


def mail_document(notices: Sequence[Notice], slips: Mapping[Token, StoredSlip]) -> NoticeDocument:
    """Return the order of one mail to the applicants of these notices, which differ in nothing else.

    The notices are as they were before the order; an announcement names its recipients in `tokens`, even a single one.
    """
    first = notices[0]
    return NoticeDocument(
        notice=first.document,
        campaign=first.campaign,
        kind=first.kind,
        channel="mail",
        attempt=first.attempts + 1,
        n=first.n,
        token=None if first.bulk else first.token,
        tokens=tuple(notice.token for notice in notices) if first.bulk else None,
        slip=_slip_of(first, slips),
        params=first.params,
    )


def _slip_of(notice: Notice, slips: Mapping[Token, StoredSlip]) -> dict[str, object] | None:
    """Return the slip of the notice; None for notices of other sources."""
    slip = slips.get(notice.token)
    return slip.slip if slip is not None and slip.n == notice.n and _is_of_slip(notice, slip) else None


def _is_of_slip(notice: Notice, slip: StoredSlip) -> bool:
    return notice.kind in {occasion.kind for occasion in slip.occasions}
