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
from shared.contracts import Choice, NoticeDocument, OutcomeSlip, Refusal
from shared.ids import CampaignId, Receipt, Token

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
    `is_paper`: it came on paper, so that only a sealed card can bring its code to the applicant.
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
    if document.campaign != campaign.id or not _has_form(document, kind.source):
        return "bad-form"
    if not check_params(document.kind, document.params, campaign):
        return "bad-params"
    applications = [
        application
        for token in document.recipients
        if (application := register.entries.get(Token(token))) and application.campaign == campaign.id
    ]
    return _recipients_flaw(document, applications) or _source_flaw(document, kind.source, slip, applications[0])


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
    """Return True if a newer slip of the applicant was seen, or a newer version of the application is there."""
    kind = KINDS.get(document.kind)
    if kind is None or document.token is None:
        return False
    token = Token(document.token)
    if kind.source == "slip":
        return document.n < register.newest.get(token, 0)
    entry = register.entries.get(token)
    return kind.source == "register" and entry is not None and document.n < entry.version


def registered(application: RegisterEntry, name: str = "") -> Registered:
    """Return the facts of the register for texts and conditions."""
    return Registered(
        receipt=application.receipt,
        name=name,
        reasons=application.reasons,
        refused=application.refused,
        choices=application.choices,
        version=application.version,
    )


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
    return None if holds(document.kind, slip, document.params) else "condition"


def _register_flaw(document: NoticeDocument, application: RegisterEntry) -> Flaw | None:
    if document.n < application.version:
        return None  # superseded, which is no flaw
    if document.n > application.version:
        return "wrong-number"
    allowed = application.is_decided and holds(document.kind, registered(application), document.params)
    return None if allowed else "condition"
