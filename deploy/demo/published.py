"""Checks of the published files against what the applicants of the demo hold: receipt documents and codes. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from deploy.demo.application import DemoApplication
from deploy.demo.client import SubmittedApplication
from shared.campaign import Campaign
from shared.codes import EntryId, entry_id
from shared.ids import ApplicationId
from shared.receipt_documents import roll_line

_RECEIPT: Final = re.compile(r"[WFP]-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")
_HEX_ID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class PublishedFiles:
    """Files as anybody can fetch them."""

    transcript: str
    rows: str
    roll: str


def own_entry(campaign: Campaign, application: DemoApplication) -> EntryId | None:
    """Return the entry id that the applicant computes; None for a paper, whose code only its sender has."""
    if application.code is None:
        return None
    return entry_id(campaign.id, application.application_id, application.code)


def published_checks(
    campaign: Campaign,
    files: PublishedFiles,
    sent: Sequence[DemoApplication],
    submitted: Mapping[ApplicationId, SubmittedApplication],
    drawn: AbstractSet[ApplicationId],
) -> list[tuple[str, bool]]:
    """Return names and results of the checks. `drawn`: applications that must be on the list."""
    rolled, rows = set(files.roll.splitlines()), {row[:32] for row in files.rows.splitlines()}
    last = [roll_line(taken.documents[-1]) for taken in submitted.values()]
    earlier = [roll_line(document) for taken in submitted.values() for document in taken.documents[:-1]]
    entries = {each.application_id: own_entry(campaign, each) for each in sent if each.code is not None}
    found = all((entry in rows) == (name in drawn) for name, entry in entries.items())
    return [
        ("the roll has one line for each receipt", len(rolled) == len(sent)),
        ("the last receipt document of each applicant stands in the roll", rolled.issuperset(last)),
        ("no earlier receipt document stands in the roll", rolled.isdisjoint(earlier)),
        ("each applicant with a code finds the own entry, or none", found),
        ("as many entries as applications in the draw", len(rows) == len(drawn)),
        ("no published file names an application or a receipt", _is_unlinked(files, sent)),
    ]


def _is_unlinked(files: PublishedFiles, sent: Iterable[DemoApplication]) -> bool:
    texts = (files.transcript, files.rows, files.roll)
    ids = {found.replace("-", "") for text in texts for found in _HEX_ID.findall(text)}
    known = {application.application_id.replace("-", "") for application in sent}
    return ids.isdisjoint(known) and not any(_RECEIPT.search(text) for text in texts)
