"""Write audit lines: one event each, as canonical JSON (`docs/protocols.md` §6). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.canonical import canonical
from shared.ids import CampaignId
from shared.json_types import JsonObject

FIRST_EPOCH: Final = 1


@dataclass(frozen=True)
class AuditEvent:
    """An act on data of a person. `subject` is an HMAC; None if the act concerns no single person.

    `campaign` is None for acts of the installation: accounts, sign-in. `previous` is the end of the log before this
    one, in the first line of a log that was opened after another was cut.
    """

    actor: str
    role: str
    action: str
    purpose: str
    campaign: CampaignId | None
    subject: str | None
    outcome: str
    previous: JsonObject | None = None


@dataclass(frozen=True)
class AuditLine:
    """A line of a log: its number, from 1, and its text without LF."""

    seq: int
    text: str


def write_lines(events: Sequence[AuditEvent], after: int, at: str) -> list[AuditLine]:
    """Return the lines of `events`, numbered from `after` + 1; `at` is an ISO 8601 time."""
    return [AuditLine(seq, _text(event, seq, at)) for seq, event in enumerate(events, after + 1)]


def _text(event: AuditEvent, seq: int, at: str) -> str:
    content: JsonObject = {
        "v": 2,
        "seq": seq,
        "at": at,
        "actor": event.actor,
        "role": event.role,
        "action": event.action,
        "purpose": event.purpose,
        "campaign": event.campaign,
        "subject": event.subject,
        "outcome": event.outcome,
    }
    if event.previous is not None:
        content["previous"] = event.previous
    return canonical(content).decode("utf-8")
