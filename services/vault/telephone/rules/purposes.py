"""Name the purposes for which a handler may open a person at the telephone desk. Pure."""

from enum import StrEnum
from typing import Final

CAMPAIGN_PURPOSE: Final = "desk"
"""Purpose of the campaign file that allows all of these (R-C7)."""


class DeskPurpose(StrEnum):
    """Reason for looking a person up, chosen before the search. Texts of pages: `telephone.purpose.<value>`."""

    ARRIVED = "arrived"
    """The person asks whether the application arrived."""
    CHANGE = "change"
    """The person wants the application corrected or withdrawn."""
    UNDELIVERED = "undelivered"
    """The person did not get a notice, or lost it."""
    CALL = "call"
    """A handler calls the person, whom neither mail nor post reached."""
    RIGHTS = "rights"
    """The person asks for disclosure, correction, an end of use, or erasure (開示・訂正・利用停止・消去)."""


def parse_purpose(text: str) -> DeskPurpose | None:
    """Return the purpose of this name; None for any other text."""
    return DeskPurpose(text) if text in tuple(DeskPurpose) else None
