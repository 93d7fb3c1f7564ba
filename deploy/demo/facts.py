"""Facts about a run, from which the invariants are checked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.demo.application import DemoApplication
from deploy.demo.delivered import DeliveredText
from shared.campaign import Campaign
from shared.contracts import SlipOutcome
from shared.ids import ApplicationId, Receipt


@dataclass(frozen=True)
class Invariant:
    """Condition that must hold; `detail` says what was compared, or which ids break it (never a person)."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class Status:
    """State that an applicant reads at the status address."""

    status: str
    reasons: frozenset[str] = frozenset()
    receipt: str = ""


@dataclass(frozen=True)
class Notice:
    """State of one notice at the notifier, by receipt number."""

    receipt: str
    kind: str
    state: str


@dataclass(frozen=True)
class VaultCount:
    """Count of the vault: slips that the lottery issued, those that left the vault, and rejections likewise.

    `superseded`: slips that a newer one replaced before they left. `differences`: receipt numbers of missing notices.
    """

    issued: int
    delivered: int
    superseded: int
    rejected: int
    rejected_delivered: int
    differences: Sequence[str]


@dataclass(frozen=True)
class Played:
    """Acts after the draw, by receipt number: places given up, places accepted, and people of an announcement."""

    withdrawn: Sequence[str] = ()
    accepted: Sequence[str] = ()
    announced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """Applications sent, what each service says became of them, and the texts that arrived.

    `texts` is None where the rehearsal cannot look into the mailbox (another host).
    """

    campaign: Campaign
    sent: Sequence[DemoApplication]
    statuses: Mapping[ApplicationId, Status]
    desk: Mapping[ApplicationId, str]
    outcomes: Mapping[Receipt, Sequence[SlipOutcome]]
    notices: Sequence[Notice]
    transcript_checks: Sequence[tuple[str, bool]]
    texts: Sequence[DeliveredText] | None = None
    played: Played = Played()
    vault_count: VaultCount | None = None

    def receipt_of(self, application_id: ApplicationId) -> Receipt:
        """Return the receipt number that the applicant reads; empty for an unknown application."""
        status = self.statuses.get(application_id)
        return Receipt("" if status is None else status.receipt)

    def is_drawn(self, application: DemoApplication) -> bool:
        """Return True if the application is in the draw."""
        return is_drawn(application, self.desk)

    def result_kind(self, application: DemoApplication) -> str | None:
        """Return the kind of the notice that tells the applicant what became of the application; None: no notice.

        A copy and a second application of the same person are told nothing after the acknowledgement.
        """
        if not application.expected.readable:
            return None
        if self.is_drawn(application):
            return "result"
        return "rejected" if application.expected.status in {"rejected", "withdrawn"} else None


def is_drawn(application: DemoApplication, desk: Mapping[ApplicationId, str]) -> bool:
    """Return True if the application is in the draw by the rules and the decisions of the desk."""
    status = application.expected.status
    return status == "accepted" or (status == "held" and desk.get(application.application_id) == "accept")


def report(wrong: Sequence[str], fine: str) -> str:
    """Return `fine` if nothing is wrong, else the number of faults and the first three of them."""
    return fine if not wrong else f"{len(wrong)} break it, e.g. {', '.join(wrong[:3])}"
