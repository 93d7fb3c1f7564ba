"""Mask a person for a list, so that a handler recognises the one who calls and reads nothing about the others. Pure."""

from typing import Final

from services.vault.identities.person import Person

_MARK: Final = "＊"
_SHOWN_DIGITS: Final = 2


def mask_name(name: str) -> str:
    """Return the first character, and marks whose number does not tell the length of the name."""
    return name[:1] + _MARK * 3


def mask_phone(phone: str) -> str:
    """Return the last two digits."""
    return _MARK * 4 + phone[-_SHOWN_DIGITS:]


def mask_age(person: Person) -> str:
    """Return the school grade, or the decade of the age."""
    return person.grade or f"{(person.age or 0) // 10 * 10}–"
