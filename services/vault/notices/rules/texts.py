"""Texts of one campaign from released templates. Pure.

The name is the one value that an applicant typed. It is put in as a value, so that nothing in it acts as a template.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from services.vault.notices.rules.facts import CampaignFacts
from services.vault.notices.rules.kinds import KINDS
from services.vault.notices.rules.registered import Registered
from services.vault.notices.rules.template import NoticeTemplate
from services.vault.notices.rules.values import Values, announcement_values, register_values, slip_values
from shared.campaign import Campaign
from shared.contracts import NoticeChannel, NoticeDocument, OutcomeSlip

__all__ = ["MailText", "NoticeTexts", "Registered", "neutralise"]

_LONGEST_NAME: Final = 100
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of line breaks, control and format characters, among them those that turn the direction."""
_BLANKS: Final = re.compile(r" {2,}")


@dataclass(frozen=True, repr=False)
class MailText:
    """Subject and body of one mail, as plain text."""

    subject: str
    body: str


class NoticeTexts:
    """Texts of one campaign from one set of templates, by kind and channel."""

    def __init__(self, campaign: Campaign, templates: Mapping[tuple[str, NoticeChannel], NoticeTemplate]) -> None:
        self._facts = CampaignFacts.of(campaign)
        self._templates = templates

    def mail(
        self, document: NoticeDocument, slip: OutcomeSlip | None, registered: Registered | None, now: datetime
    ) -> MailText:
        """Return the mail.

        Raises KeyError for a kind without a template, ValueError where slip or register is missing.
        """
        values = self._values(document, slip, registered, now)
        subject, body = self._templates[document.kind, "mail"].render(_members(values))
        return MailText(subject, body)

    def card(
        self, document: NoticeDocument, slip: OutcomeSlip | None, registered: Registered | None, now: datetime
    ) -> str:
        """Return the text side of a card. Raises as `mail`."""
        values = self._values(document, slip, registered, now)
        return self._templates[document.kind, "card"].render(_members(values))[1]

    def _values(
        self, document: NoticeDocument, slip: OutcomeSlip | None, registered: Registered | None, now: datetime
    ) -> Values:
        source = KINDS[document.kind].source
        if source == "campaign":
            return announcement_values(self._facts, document.params)
        if registered is None or (source == "slip" and slip is None):
            raise ValueError(f"a text of the kind {document.kind} needs the register, and the slip of its application")
        name = neutralise(registered.name)
        if slip is None or source == "register":
            return register_values(self._facts, registered, name, now)
        return slip_values(self._facts, slip, name, document.params)


def neutralise(name: str) -> str:
    """Return a name as one line of visible characters, at most 100."""
    visible = "".join(" " if unicodedata.category(letter) in _INVISIBLE else letter for letter in name)
    return _BLANKS.sub(" ", visible)[:_LONGEST_NAME].strip()


def _members(values: Values) -> dict[str, object]:
    return {field.name: getattr(values, field.name) for field in fields(values)}
