"""Result of one check of a published file. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """Result of one check; `text` explains it."""

    name: str
    passed: bool
    text: str
