"""List what a handler may do for a person, and the reasons to choose from; none is typed. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.campaign.model import Window


class DeskAct(StrEnum):
    """Act about one application. Texts of pages: `telephone.act.<value>`."""

    CORRECT = "correct"
    WITHDRAW = "withdraw"
    CONTACT = "contact"
    MAIL = "send-again"
    CARD = "send-card"


class ActReason(StrEnum):
    """Reason for an act. Texts of pages: `telephone.why.<value>`."""

    ASKED_BY_TELEPHONE = "asked-by-telephone"
    ASKED_ON_PAPER = "asked-on-paper"
    KEYED_WRONG = "keyed-wrong"
    CARD_RETURNED = "card-returned"
    MAIL_BOUNCED = "mail-bounced"
    NOT_ARRIVED = "not-arrived"
    LOST = "lost"
    NO_MAIL = "no-mail"


_ASKED: Final = (ActReason.ASKED_BY_TELEPHONE, ActReason.ASKED_ON_PAPER)

REASONS: Final[Mapping[DeskAct, tuple[ActReason, ...]]] = {
    DeskAct.CORRECT: (*_ASKED, ActReason.KEYED_WRONG, ActReason.CARD_RETURNED, ActReason.MAIL_BOUNCED),
    DeskAct.WITHDRAW: _ASKED,
    DeskAct.CONTACT: (*_ASKED, ActReason.KEYED_WRONG, ActReason.CARD_RETURNED, ActReason.MAIL_BOUNCED),
    DeskAct.MAIL: (ActReason.NOT_ARRIVED, ActReason.LOST),
    DeskAct.CARD: (ActReason.NOT_ARRIVED, ActReason.LOST, ActReason.NO_MAIL, ActReason.CARD_RETURNED),
}


def parse_reason(act: DeskAct, text: str) -> ActReason | None:
    """Return the reason of this name if the act may have it; None for any other text."""
    return next((reason for reason in REASONS[act] if reason == text), None)


def acts_at(window: Window, now: datetime) -> tuple[DeskAct, ...]:
    """Return how an application may be changed now: by versions while intake takes them, then its contact alone.

    Intake takes versions until the window closes (`docs/protocols.md` §1). After that a place is given up at the
    lottery.
    """
    if now < window.opens:
        return ()
    return (DeskAct.CORRECT, DeskAct.WITHDRAW) if now < window.closes else (DeskAct.CONTACT,)
