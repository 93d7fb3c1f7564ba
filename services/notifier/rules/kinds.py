"""Kinds of notices as the notifier tells them apart: by what they tell, and by what a newer one replaces. Pure."""

from collections.abc import Mapping
from typing import Final

from services.notifier.rules.notice import UNDECIDED, Notice
from shared.contracts import Contact
from shared.ids import NoticeIdField, Token

ACKNOWLEDGEMENT: Final = "acknowledgement"
REJECTED: Final = "rejected"
SAME_PERSON: Final = "same-person"
RESULT: Final = "result"

COURTESIES: Final = frozenset({ACKNOWLEDGEMENT, SAME_PERSON})
"""Kinds after whose failure no card follows, and that the three-day clock leaves out (ADR 0030, ADR 0042): the result
of the standing application goes to the same address."""


def is_current(notice: Notice, contact: Contact | None, slip_number: int | None) -> bool:
    """Return True if no newer notice of the applicant says what this one says.

    `contact` and `slip_number` are stored of the applicant now. A slip has everything about an application, so it
    makes every older slip and the acknowledgement old; an announcement never becomes old. Whom a later draw left out
    is not told the result of the draw before.
    """
    if notice.bulk:
        return True
    if notice.kind == UNDECIDED:
        return contact is not None and _is_undecided(contact, slip_number)
    if notice.kind in {ACKNOWLEDGEMENT, REJECTED, SAME_PERSON}:
        asked = None if contact is None else (register_kind(contact, slip_number), contact.version)
        return asked == (notice.kind, notice.n)
    left_out_of = contact.left_out_of if contact is not None else None
    return notice.n >= max(slip_number or 0, left_out_of or 0)


def register_kind(contact: Contact, slip_number: int | None) -> str | None:
    """Return the kind of notice that the register asks for; None: no notice.

    An applicant by post gets no acknowledgement: the receipt number is on the copy of the paper (ADR 0030).
    """
    if contact.status == "rejected":
        return REJECTED
    if contact.status == "same-person":
        return SAME_PERSON
    if contact.status == "undecided":
        return UNDECIDED if _is_undecided(contact, slip_number) else None
    return ACKNOWLEDGEMENT if contact.contact == "mail" and slip_number is None else None


def _is_undecided(contact: Contact, slip_number: int | None) -> bool:
    """Return True while an applicant must be told that the application was left out of the draw undecided.

    A decision after the draw does not put the application into it. Whoever has a slip was drawn, or got a place by a
    correction: then the slip tells more, also while the vault holds the application. A slip of a draw before the one
    that left the applicant out does not.
    """
    has_slip = slip_number is not None and slip_number >= (contact.left_out_of or 0)
    return not has_slip and contact.status in {"undecided", "complete"}


def outdated(
    notices: list[Notice], contacts: Mapping[Token, Contact], slip_numbers: Mapping[Token, int]
) -> list[NoticeIdField]:
    """Return the ids of the notices that a newer one replaces."""
    return [
        notice.id
        for notice in notices
        if not is_current(notice, contacts.get(notice.token), slip_numbers.get(notice.token))
    ]
