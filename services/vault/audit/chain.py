"""Chain audit lines by hash. Pure.

`docs/protocols.md` §6: one line per event, canonical JSON, each holding the SHA-256 (hex) of the line before it
(64 zeros for the first).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.canonical import canonical
from shared.ids import CampaignId

FIRST: Final = "0" * 64


@dataclass(frozen=True)
class AuditEvent:
    """An act on data of a person. `subject` is an HMAC; None if the act concerns no single person.

    `campaign` is None for acts of the installation: accounts, sign-in.
    """

    actor: str
    role: str
    action: str
    purpose: str
    campaign: CampaignId | None
    subject: str | None
    outcome: str


@dataclass(frozen=True)
class AuditLine:
    """A line of the chain: its number, from 1, and its text."""

    seq: int
    text: str


@dataclass(frozen=True)
class ChainEnd:
    """The last line written: its number, and the hash that the next line holds."""

    seq: int
    digest: str


EMPTY: Final = ChainEnd(0, FIRST)


def digest(line: str) -> str:
    """Return the SHA-256 of a line, in hex."""
    return hashlib.sha256(line.encode("utf-8")).hexdigest()


def append_events(events: Sequence[AuditEvent], end: ChainEnd, at: str) -> tuple[list[AuditLine], ChainEnd]:
    """Return the lines of `events` that follow `end`, and the new end; `at` is an ISO 8601 time."""
    lines = []
    for event in events:
        content = {
            "v": 1,
            "seq": end.seq + 1,
            "at": at,
            "actor": event.actor,
            "role": event.role,
            "action": event.action,
            "purpose": event.purpose,
            "campaign": event.campaign,
            "subject": event.subject,
            "outcome": event.outcome,
            "prev": end.digest,
        }
        line = AuditLine(end.seq + 1, canonical(content).decode("utf-8"))
        end = ChainEnd(line.seq, digest(line.text))
        lines.append(line)
    return lines, end


def first_break(lines: Sequence[str], *, before: str = FIRST) -> int | None:
    """Return the index of the first line that does not follow from the one before it; None if the chain holds.

    `before` is the hash that the first line must hold: of the line before it, or 64 zeros.
    """
    expected, seq = before, None
    for index, line in enumerate(lines):
        content = json.loads(line)
        in_order = seq is None or content["seq"] == seq + 1
        if content["prev"] != expected or not in_order or canonical(content) != line.encode("utf-8"):
            return index
        expected, seq = digest(line), content["seq"]
    return None
