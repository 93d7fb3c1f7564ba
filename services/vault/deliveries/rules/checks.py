"""Check a notice document against slip, register and the numbers seen before. Pure.

A document that fails a check is `invalid`: it is counted and raises an alarm. An older `n` is `superseded`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.vault.notices.rules.kinds import KINDS, check_params, holds
from services.vault.notices.rules.registered import Registered
from shared.campaign import Campaign
from shared.codes import EntryId
from shared.contracts import Choice, NoticeChannel, NoticeDocument, OutcomeSlip, Refusal
from shared.ids import CampaignId, Receipt, Token
from shared.slip_numbers import is_numbered

Flaw = Literal[
    "unknown-kind", "bad-params", "bad-form", "unknown-recipient", "no-address", "bad-slip", "foreign-slip",
    "wrong-number", "condition", "too-many", "repeated-key",
]  # fmt: skip
"""Reason why a document is invalid; for logs and people, never for an answer."""


@dataclass(frozen=True)
class CheckedSlip:
    """Slip of a document, parsed. `is_signed`: the lottery's key signed these very members."""

    slip: OutcomeSlip = field(repr=False)
    is_signed: bool


@dataclass(frozen=True)
class RegisterEntry:
    """Facts of the register about one application, without the person.

    `version`: of its content. `is_decided`: its own content is decided, whether or not it may be a duplicate.
    `is_paper`: it came on paper, so that only a sealed card can bring its code to the applicant. `same_person_ways`:
    after the draw, ways to an address that the standing application of the same person gave, too. `undecided_ways`: the
    same where a doubt was undecided at the draw; None where there was none. `left_out_of`: number of the result slips
    of the draw that left it out, 0 where it is not known.
    """

    campaign: CampaignId
    receipt: Receipt
    entry: EntryId | None
    version: int
    is_paper: bool
    has_mail: bool
    is_decided: bool
    choices: tuple[Choice, ...]
    refused: tuple[Refusal, ...]
    reasons: tuple[str, ...]
    same_person_ways: frozenset[NoticeChannel] = frozenset()
    undecided_ways: frozenset[NoticeChannel] | None = None
    left_out_of: int = 0


@dataclass(frozen=True)
class Register:
    """Applications by token and the newest slip number by token."""

    entries: Mapping[Token, RegisterEntry] = field(repr=False)
    newest: Mapping[Token, int]


def find_flaw(
    document: NoticeDocument, campaign: Campaign, slip: CheckedSlip | None, register: Register
) -> Flaw | None:
    """Return the first flaw of the document; None if it may be sent."""
    kind = KINDS.get(document.kind)
    if kind is None:
        return "unknown-kind"
    if (
        document.campaign != campaign.id
        or document.channel not in kind.channels
        or not _has_form(document, kind.source)
    ):
        return "bad-form"
    if not check_params(document.kind, document.params, campaign):
        return "bad-params"
    applications = [
        application
        for token in document.recipients
        if (application := register.entries.get(Token(token))) and application.campaign == campaign.id
    ]
    flaw = _recipients_flaw(document, applications)
    if flaw is None and _is_drawn_meanwhile(document, register):
        return None  # superseded, which is no flaw
    return flaw or _source_flaw(document, kind.source, slip, applications[0])


def _recipients_flaw(document: NoticeDocument, applications: Sequence[RegisterEntry]) -> Flaw | None:
    if len(applications) < len(document.recipients):
        return "unknown-recipient"
    if document.channel == "mail" and not all(application.has_mail for application in applications):
        return "no-address"
    return None


def _source_flaw(
    document: NoticeDocument, source: str, slip: CheckedSlip | None, application: RegisterEntry
) -> Flaw | None:
    if source == "campaign":
        return None if holds(document.kind, None, document.params) else "condition"
    return _slip_flaw(document, slip, application) if source == "slip" else _register_flaw(document, application)


def is_superseded(document: NoticeDocument, register: Register) -> bool:
    """Return True if a newer slip of the applicant was seen, or a newer version of the application is there.

    Also where the address is not shared, or not any more, with the application that stands before it.
    """
    kind = KINDS.get(document.kind)
    if kind is None or document.token is None:
        return False
    token = Token(document.token)
    if kind.source == "slip":
        return document.n < register.newest.get(token, 0)
    entry = register.entries.get(token)
    if kind.source != "register" or entry is None:
        return False
    is_not_shared = (kind.condition.same_person and document.channel not in entry.same_person_ways) or (
        kind.condition.undecided and document.channel not in (entry.undecided_ways or ())
    )
    return bool(is_not_shared) or _is_drawn_meanwhile(document, register) or document.n < entry.version


def registered(application: RegisterEntry, name: str = "", channel: NoticeChannel | None = None) -> Registered:
    """Return the facts of the register for texts and conditions."""
    return Registered(
        receipt=application.receipt,
        name=name,
        reasons=application.reasons,
        refused=application.refused,
        choices=application.choices,
        version=application.version,
        is_same_person=channel in application.same_person_ways,
        is_undecided=application.undecided_ways is not None,
    )


def _is_drawn_meanwhile(document: NoticeDocument, register: Register) -> bool:
    """Return True for a notice about being left out to an applicant who has a slip of that draw or since it."""
    if KINDS[document.kind].condition.undecided is not True or document.token is None:
        return False
    token = Token(document.token)
    entry = register.entries.get(token)
    return entry is not None and register.newest.get(token, -1) >= entry.left_out_of


def _has_form(document: NoticeDocument, source: str) -> bool:
    """Check that exactly slip kinds have a slip, and that only announcements by mail name several recipients."""
    if (document.slip is not None) != (source == "slip"):
        return False
    if document.tokens is None:
        return True
    is_announcement = source == "campaign" and document.channel == "mail"
    return is_announcement and len(set(document.tokens)) == len(document.tokens)


def _slip_flaw(document: NoticeDocument, checked: CheckedSlip | None, application: RegisterEntry) -> Flaw | None:
    if checked is None or not checked.is_signed:
        return "bad-slip"
    slip = checked.slip
    belongs = (
        slip.campaign == document.campaign
        and slip.token == document.token
        and slip.receipt == application.receipt
        and slip.entry == application.entry
    )
    if not belongs:
        return "foreign-slip"
    if slip.n != document.n:
        return "wrong-number"
    if not is_numbered(slip.draw):
        return "bad-slip"
    return None if holds(document.kind, slip, document.params) else "condition"


def _register_flaw(document: NoticeDocument, application: RegisterEntry) -> Flaw | None:
    if document.n < application.version:
        return None  # superseded, which is no flaw
    if document.n > application.version:
        return "wrong-number"
    facts = registered(application, channel=document.channel)
    is_ready = application.is_decided or KINDS[document.kind].condition.undecided
    return None if is_ready and holds(document.kind, facts, document.params) else "condition"
