"""Routes of all messages. The broker's topology, its permissions and the contract tests derive from this table."""

from dataclasses import dataclass

from shared.contracts.applications import (
    ApplicationReceived,
    ApplicationsAccepted,
    ApplicationsDecided,
    ApplicationsHeld,
    ApplicationsRejected,
    ContactsRegistered,
    DrawPublished,
    DuplicatesSearched,
    ReceiptsClosed,
    SealingKeyPublished,
)
from shared.contracts.base import Event
from shared.contracts.closing import ErasureCompleted, ErasureRequested
from shared.contracts.dice import DiceEntered, DiceRequested
from shared.contracts.notices import (
    MailBounced,
    MailCompleted,
    MailRequested,
    NoticesAsked,
    NoticesCounted,
    PrintCompleted,
    PrintRequested,
)
from shared.contracts.papers import PaperReceived, PaperSettled, ReceiptsAssigned
from shared.contracts.people import StaffActed, StaffChanged
from shared.contracts.person_erasure import PersonErased, PersonErasureRequested
from shared.contracts.slips import (
    PlacesOffered,
    ResultsPublished,
    SlipsIssued,
)


@dataclass(frozen=True)
class Route:
    event: type[Event]
    publishers: tuple[str, ...]
    consumers: tuple[str, ...]


ROUTES: tuple[Route, ...] = (
    Route(SealingKeyPublished, ("vault",), ("intake",)),
    Route(ApplicationReceived, ("intake",), ("vault",)),
    Route(ApplicationsDecided, ("vault",), ("intake",)),
    Route(ApplicationsAccepted, ("vault",), ("lottery",)),
    Route(ApplicationsRejected, ("vault",), ("lottery",)),
    Route(ApplicationsHeld, ("vault",), ("lottery",)),
    Route(ContactsRegistered, ("vault",), ("notifier",)),
    Route(PaperReceived, ("intake",), ("vault",)),
    Route(PaperSettled, ("vault",), ("intake",)),
    Route(ReceiptsAssigned, ("intake",), ("vault",)),
    Route(ReceiptsClosed, ("intake",), ("lottery",)),
    Route(DuplicatesSearched, ("vault",), ("lottery",)),
    Route(DiceRequested, ("lottery",), ("vault",)),
    Route(DiceEntered, ("vault",), ("lottery",)),
    Route(DrawPublished, ("lottery",), ("intake", "vault")),
    Route(ResultsPublished, ("lottery",), ("notifier",)),
    Route(PlacesOffered, ("lottery",), ("notifier",)),
    Route(SlipsIssued, ("lottery",), ("vault",)),
    Route(MailRequested, ("notifier",), ("vault",)),
    Route(MailCompleted, ("vault",), ("notifier",)),
    Route(NoticesCounted, ("notifier",), ("lottery", "vault")),
    Route(NoticesAsked, ("vault",), ("notifier",)),
    Route(PrintRequested, ("notifier",), ("vault",)),
    Route(PrintCompleted, ("vault",), ("notifier",)),
    Route(MailBounced, ("vault",), ("notifier",)),
    Route(ErasureRequested, ("vault",), ("intake", "lottery", "notifier")),
    Route(StaffChanged, ("vault",), ("intake", "lottery", "notifier")),
    Route(StaffActed, ("intake", "lottery", "notifier"), ("vault",)),
    Route(ErasureCompleted, ("intake", "lottery", "notifier"), ("vault",)),
    Route(PersonErasureRequested, ("vault",), ("intake", "lottery", "notifier")),
    Route(PersonErased, ("intake", "lottery", "notifier"), ("vault",)),
)
