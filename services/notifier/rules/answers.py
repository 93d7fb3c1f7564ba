"""Consequences of the mail room's answers for a notice. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.notifier.rules.kinds import COURTESIES
from services.notifier.rules.notice import Notice
from services.notifier.rules.states import NoticeState
from shared.contracts import MailAnswer, MailBounced

_TEMPORARY: Final = range(400, 500)
_LONGEST_RELEASE_WAIT_S: Final = 900.0
_DEFAULT_CODES: Final = {"refused": 550, "later": 450}

_SETTLED: Final = {
    "sent": NoticeState.SENT,
    "unknown": NoticeState.UNKNOWN,
    "superseded": NoticeState.REPLACED,
    "invalid": NoticeState.INVALID,
}


@dataclass(frozen=True)
class Waits:
    """Seconds before another order. `after_refusal`: one for each temporary refusal; then the notice goes by post.

    `for_release`: first wait for a release; it doubles with each order, up to 15 minutes.
    """

    after_refusal: Sequence[float]
    for_release: float

    def until_release(self, attempts: int) -> float:
        """Return the wait after the vault said `not-released` to the order with this number."""
        return min(self.for_release * 2.0 ** min(attempts - 1, 20), max(self.for_release, _LONGEST_RELEASE_WAIT_S))


@dataclass(frozen=True)
class Consequence:
    """New state of a notice. `wait_s`: seconds until it may be ordered again. `alone`: as a mail to one recipient.

    `deferrals`: temporary refusals that it adds. `is_taken`: the mail server took the mail, or may have taken it.
    """

    state: NoticeState
    code: str | None = None
    wait_s: float = 0.0
    alone: bool = False
    deferrals: int = 0
    is_taken: bool = False


def consequence(answer: MailAnswer, notice: Notice, recipients: int, waits: Waits) -> Consequence:
    """Return the consequence of the answer for one of the order's recipients."""
    own_code = next((refusal.code for refusal in answer.refused if refusal.token == notice.token), None)
    if own_code is not None:
        return _after_refusal(notice, own_code, waits)
    code = None if answer.code is None else str(answer.code)
    match answer.answer:
        case "refused" | "invalid" if recipients > 1:  # one of them may be erased since; the others get theirs
            return Consequence(NoticeState.DEFERRED, code, alone=True)
        case "refused" | "later":
            return _after_refusal(notice, answer.code or _DEFAULT_CODES[answer.answer], waits)
        case "not-released":
            return Consequence(NoticeState.UNRELEASED, code, waits.until_release(notice.attempts))
        case settled:
            return Consequence(_SETTLED[settled], code, is_taken=settled in {"sent", "unknown"})


def _after_refusal(notice: Notice, code: int, waits: Waits) -> Consequence:
    """Return DEFERRED after a temporary refusal while a wait is left, else the end of the way by mail."""
    if code in _TEMPORARY and notice.deferrals < len(waits.after_refusal):
        return Consequence(NoticeState.DEFERRED, str(code), waits.after_refusal[notice.deferrals], deferrals=1)
    return Consequence(_undeliverable(notice, NoticeState.TO_PRINT), str(code))


def consequence_of_report(report: MailBounced, notice: Notice) -> Consequence:
    """Return the consequence of a report on the mail; a status 2.x.x is `unclear`, whatever the verdict."""
    is_unclear = report.verdict == "unclear" or report.status.startswith("2")
    state = NoticeState.UNCLEAR if is_unclear else _undeliverable(notice, NoticeState.BOUNCED)
    return Consequence(state, report.status, is_taken=True)


def _undeliverable(notice: Notice, otherwise: NoticeState) -> NoticeState:
    return NoticeState.UNDELIVERED if notice.kind in COURTESIES else otherwise
