"""Name the states of a delivery, as a table. Pure."""

from enum import StrEnum
from typing import Final

from shared.state_machine import StateMachine


class DeliveryState(StrEnum):
    """State of one notice document in the vault. The values of settled mails are the answers of the contract."""

    QUEUED = "queued"
    """Waits for a session to the mail server; a claim that runs out leaves it here."""
    COMMITTING = "committing"
    """The text may be on its way: after a crash the vault cannot tell (ADR 0012)."""
    SENT = "sent"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"
    NOT_RELEASED = "not-released"
    SUPERSEDED = "superseded"
    INVALID = "invalid"
    PRINTED = "printed"
    NOT_PRINTABLE = "not-printable"


_OUTCOMES: Final = frozenset({DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.LATER})
_REFUSALS: Final = frozenset({DeliveryState.NOT_RELEASED, DeliveryState.SUPERSEDED, DeliveryState.INVALID})
_END: Final[frozenset[DeliveryState]] = frozenset()

DELIVERIES: Final = StateMachine(
    {
        DeliveryState.QUEUED: _REFUSALS
        | {DeliveryState.COMMITTING, DeliveryState.PRINTED, DeliveryState.NOT_PRINTABLE},
        DeliveryState.COMMITTING: _OUTCOMES | {DeliveryState.QUEUED, DeliveryState.UNKNOWN},
        # A process that was too slow may still learn the mail server's reply.
        DeliveryState.UNKNOWN: _OUTCOMES,
        **dict.fromkeys(_OUTCOMES | _REFUSALS | {DeliveryState.PRINTED, DeliveryState.NOT_PRINTABLE}, _END),
    }
)

OPEN: Final = (DeliveryState.QUEUED, DeliveryState.COMMITTING)
"""States without an answer."""

DELIVERED: Final = (DeliveryState.SENT, DeliveryState.PRINTED)
"""States in which the notice left the vault."""

HOLDS_SLOT: Final = frozenset({*OPEN, *DELIVERED, DeliveryState.UNKNOWN})
"""States that count among the two mails or two cards of one notice, because the applicant may have got it."""
