"""List the reasons of a handler's decision: chosen by code, never typed (R-D4: no free text about people). Pure.

Texts of the page name them by `doubts.reason.<code>`.
"""

from collections.abc import Mapping
from typing import Final, Literal

from services.vault.applications.rules.pairs import PairVerdict

PAIR_REASONS: Final[Mapping[PairVerdict, tuple[str, ...]]] = {
    PairVerdict.SAME_PERSON: ("duplicate", "same-person", "asked-by-telephone"),
    PairVerdict.TWO_PEOPLE: ("namesake", "asked-by-telephone"),
    PairVerdict.HOUSEHOLD: ("household", "twins", "asked-by-telephone"),
}
"""Reasons of a decision about two applications that look alike."""

OWN_REASONS: Final[Mapping[Literal["accept", "reject"], tuple[str, ...]]] = {
    "accept": ("address-confirmed", "address-in-table", "asked-by-telephone"),
    "reject": ("not-resident", "postal-mismatch", "postal-unknown"),
}
"""Reasons of a decision about a doubt of an application's own content, its address."""


def is_pair_reason(verdict: PairVerdict, reason: str) -> bool:
    """Return True if the reason may stand for this verdict."""
    return reason in PAIR_REASONS[verdict]
