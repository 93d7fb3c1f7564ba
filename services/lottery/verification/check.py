"""Result of one check of a published file. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """Result of one check; `text` explains it."""

    name: str
    passed: bool
    text: str


Keys = tuple[str, ...]
"""Public keys of the lottery, base64url: those that were not revoked."""
