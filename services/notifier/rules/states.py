"""State tables of notices and of print batches; the repositories check every transition against them. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from shared.state_machine import StateMachine

ContactChannel = Literal["mail", "post", "telephone"]


class NoticeState(StrEnum):
    """State of one notice."""

    PENDING = "pending"
    """The notice waits to be ordered as a mail."""
    MAILING = "mailing"
    """The mail is ordered from the vault's mail room, which has not answered yet."""
    DEFERRED = "deferred"
    """The mail server refused temporarily (4xx); the mail is ordered again at `next_at`."""
    UNRELEASED = "unreleased"
    """The text of this kind is not released; the notice is ordered again at `next_at`, the same way."""
    SENT = "sent"
    """The receiver's mail server took the text; shown as 送信済み. Whether anybody reads it is not known."""
    BOUNCED = "bounced"
    """A delivery report says that the mail did not arrive. The notice waits for a print batch."""
    UNDELIVERED = "undelivered"
    """An acknowledgement did not arrive. No card follows; the result would not arrive either (ADR 0030)."""
    UNCLEAR = "unclear"
    """A delivery report came that does not say whether the mail arrived; a handler decides."""
    UNKNOWN = "unknown"
    """The mail server's answer was lost. The notice is never sent again by itself; a handler decides (ADR 0012)."""
    INVALID = "invalid"
    """The vault refused the order: a foreign slip or an unknown form. An alarm; a handler decides."""
    TO_PRINT = "to_print"
    """The notice waits for a print batch."""
    REQUESTED = "requested"
    """The card is ordered from the vault's print room."""
    MADE = "made"
    """The card is a page of a PDF that staff can fetch. Nothing is on paper yet."""
    FETCHED = "fetched"
    """A handler fetched the PDF of the card's batch, to print it."""
    COUNTED = "counted"
    """Two handlers counted the cards of the batch, and each counted as many as were made."""
    POSTED = "posted"
    """The batch was handed to a post office."""
    RETURNED = "returned"
    """The card came back undelivered; the applicant is on the telephone list."""
    TO_PHONE = "to_phone"
    """Only a telephone call may tell this applicant: a card could tell strangers of another application (ADR 0054)."""
    PHONED = "phoned"
    """A handler told the applicant by telephone."""
    FAILED = "failed"
    """No card could be made; the applicant is on the telephone list."""
    REPLACED = "replaced"
    """The notice was not sent, because a newer one has everything that it says."""


S = NoticeState

NOTICES: Final = StateMachine[NoticeState](
    {
        S.PENDING: frozenset({S.MAILING, S.TO_PRINT, S.BOUNCED, S.UNDELIVERED, S.UNCLEAR, S.REPLACED}),
        S.MAILING: frozenset(
            {S.SENT, S.DEFERRED, S.UNRELEASED, S.TO_PRINT, S.UNKNOWN, S.BOUNCED, S.UNDELIVERED, S.UNCLEAR}
            | {S.INVALID, S.REPLACED}
        ),
        S.DEFERRED: frozenset({S.MAILING, S.TO_PRINT, S.BOUNCED, S.UNDELIVERED, S.UNCLEAR, S.REPLACED}),
        S.UNRELEASED: frozenset({S.MAILING, S.REQUESTED, S.TO_PRINT, S.REPLACED}),
        S.SENT: frozenset({S.BOUNCED, S.UNDELIVERED, S.UNCLEAR, S.PENDING, S.TO_PRINT}),
        S.BOUNCED: frozenset({S.REQUESTED, S.REPLACED, S.PENDING}),
        S.UNDELIVERED: frozenset({S.PENDING, S.PHONED, S.REPLACED}),
        S.UNCLEAR: frozenset({S.SENT, S.BOUNCED, S.UNDELIVERED, S.TO_PRINT, S.PENDING, S.REPLACED}),
        S.UNKNOWN: frozenset(
            {S.SENT, S.BOUNCED, S.UNDELIVERED, S.UNCLEAR, S.TO_PRINT, S.PENDING, S.INVALID, S.REPLACED}
        ),
        S.INVALID: frozenset({S.PENDING, S.TO_PRINT, S.PHONED, S.REPLACED}),
        S.TO_PRINT: frozenset({S.REQUESTED, S.REPLACED}),
        S.REQUESTED: frozenset({S.MADE, S.FAILED, S.TO_PRINT, S.UNRELEASED, S.INVALID, S.TO_PHONE, S.REPLACED}),
        S.MADE: frozenset({S.FETCHED}),
        S.FETCHED: frozenset({S.COUNTED}),
        S.COUNTED: frozenset({S.POSTED}),
        S.POSTED: frozenset({S.RETURNED, S.TO_PRINT}),
        S.RETURNED: frozenset({S.PHONED, S.TO_PRINT, S.REPLACED}),
        S.TO_PHONE: frozenset({S.PHONED, S.REPLACED}),
        S.PHONED: frozenset(),
        S.FAILED: frozenset({S.PHONED, S.TO_PRINT, S.REPLACED}),
        S.REPLACED: frozenset({S.PENDING, S.TO_PRINT, S.TO_PHONE}),
    }
)
"""Every transition. A state that nothing follows means that the applicant was told, or has a newer notice; being asked
for by telephone leads on from sent and posted ones.

A replaced notice comes back only if the register returns to what it says: rejected, complete, rejected again.
"""

TO_MAIL: Final = frozenset({S.PENDING, S.DEFERRED, S.UNRELEASED})
"""States from which a notice is ordered as a mail."""

TO_CARD: Final = frozenset({S.TO_PRINT, S.BOUNCED, S.UNRELEASED})
"""States from which a notice is ordered as a card."""

REPLACEABLE: Final = frozenset(
    {*TO_MAIL, *TO_CARD, S.UNDELIVERED, S.UNCLEAR, S.UNKNOWN, S.INVALID, S.TO_PHONE},
)
"""States in which a newer notice of the same applicant takes the place of this one. An order under way is not among
them: its answer decides. Of cards about being left out see `REPLACEABLE_CALLS`."""

TOLD: Final = frozenset({S.SENT, S.POSTED, S.PHONED})
"""States in which the applicant was told, as far as the notifier knows: sent without a bounce, posted, telephoned."""

SETTLED: Final = TOLD | {S.REPLACED}
"""States in which the notice needs nothing: the applicant was told, or a newer notice has the result."""

UNREACHED: Final = frozenset({S.RETURNED, S.FAILED})
"""States in which neither mail nor post reaches the applicant."""

REPLACEABLE_CALLS: Final = UNREACHED
"""States of a card about being left out of the draw that a slip takes off the telephone list: the slip has a notice of
its own. Cards of other kinds stay there, because nothing says that the newer notice arrives."""

TELEPHONE_LIST: Final = UNREACHED | {S.TO_PHONE}
"""States in which a handler telephones."""

DECISIONS: Final[Mapping[NoticeState, frozenset[NoticeState]]] = {
    S.SENT: frozenset({S.UNKNOWN, S.UNCLEAR}),
    S.TO_PRINT: frozenset({S.UNKNOWN, S.UNCLEAR, S.INVALID, *UNREACHED}),
    S.PHONED: frozenset({S.INVALID, S.UNDELIVERED, *TELEPHONE_LIST}),
    S.PENDING: frozenset({S.UNKNOWN, S.UNCLEAR, S.INVALID, S.UNDELIVERED}),
}
"""Decisions of a handler: the new state, and the states from which it can be decided. PENDING mails once more."""

MAIL_AGAIN: Final = frozenset({S.SENT, S.BOUNCED, S.UNKNOWN, S.UNCLEAR, S.INVALID, S.UNDELIVERED})
"""States from which a notice is mailed once more because its applicant asked for it by telephone."""

CARD_AGAIN: Final = frozenset({S.SENT, S.UNKNOWN, S.UNCLEAR, S.INVALID, S.POSTED, S.RETURNED, S.FAILED})
"""States from which a notice goes as a card because its applicant asked for it by telephone."""

CARD_LIMIT: Final = 2
"""Cards of one notice that were ordered; the vault prints no third."""

MAIL_LIMIT: Final = 2
"""Mails of one notice that the mail server took or may have taken; the vault refuses a third."""

INITIAL: Final[Mapping[ContactChannel, NoticeState]] = {
    "mail": S.PENDING,
    "post": S.TO_PRINT,
    "telephone": S.TO_PHONE,
}
"""State of a new notice, by the applicant's contact channel."""


class PrintBatchState(StrEnum):
    """State of one order to the print room, until its cards are posted."""

    REQUESTED = "requested"
    """The order is published."""
    MADE = "made"
    """Every card ordered is in the PDF or named as failed."""
    EMPTY = "empty"
    """No card of the order could be made."""
    MISMATCH = "mismatch"
    """Cards or pages differ from the order; a handler must look, and order the cards again."""
    REORDERED = "reordered"
    """The cards were put back to be ordered again."""
    FETCHED = "fetched"
    """A handler fetched the PDF."""
    COUNTED = "counted"
    """Two handlers counted as many cards as were made."""
    POSTED = "posted"
    """The cards were handed to a post office."""


B = PrintBatchState

PRINT_BATCHES: Final = StateMachine[PrintBatchState](
    {
        B.REQUESTED: frozenset({B.MADE, B.EMPTY, B.MISMATCH}),
        B.MADE: frozenset({B.FETCHED}),
        B.EMPTY: frozenset(),
        B.MISMATCH: frozenset({B.REORDERED}),
        B.REORDERED: frozenset(),
        B.FETCHED: frozenset({B.COUNTED}),
        B.COUNTED: frozenset({B.POSTED}),
        B.POSTED: frozenset(),
    }
)
