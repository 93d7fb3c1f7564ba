"""Entry of the draw: an id of 16 bytes and the chosen classes. Pure."""

from dataclasses import dataclass

Choice = tuple[str, int]
"""Class id and seats."""


@dataclass(frozen=True)
class Entry:
    """One entry. `id`: the entry id's 16 bytes; `choices`: in order of preference, each class once."""

    id: bytes
    choices: tuple[Choice, ...]
