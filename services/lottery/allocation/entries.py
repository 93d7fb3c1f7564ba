"""Entry of the draw: an id of 16 bytes and the chosen classes. Pure."""

from dataclasses import dataclass

from shared.ids import ApplicationId, application_id_bytes

Choice = tuple[str, int]
"""Class id and seats."""


@dataclass(frozen=True)
class Entry:
    """One entry. `id`: the application id's 16 bytes; `choices`: in order of preference, each class once."""

    id: bytes
    choices: tuple[Choice, ...]

    @classmethod
    def of(cls, application_id: ApplicationId, choices: tuple[Choice, ...]) -> "Entry":
        return cls(application_id_bytes(application_id), choices)
