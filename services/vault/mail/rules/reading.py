"""Verdict on a mail that came to a bounce address. Pure."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Verdict: TypeAlias = Literal["bounced", "unclear", "silent"]
"""`bounced`: a final failure. `silent`: surely none. `unclear`: a person must look; counts as not told."""

UNDEFINED: Final = "5.0.0"


@dataclass(frozen=True)
class Reading:
    """Verdict on one mail, with the status code (RFC 3463) of a failure."""

    verdict: Verdict
    status: str = UNDEFINED
