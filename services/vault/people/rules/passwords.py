"""Rules for a new password (NIST SP 800-63B-4 §3.1.1): length, not common, not made of known words. Pure.

A password is used exactly as typed: no normalisation, no composition rules, no expiry.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Final

from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHORTEST: Final = 15
LONGEST: Final = 128
_WORD: Final = 4
"""Shortest word of campaign, ward or person that counts; shorter ones occur by chance."""

_LITTLE_ELSE: Final = 8
"""Characters that a password must have besides such words and digits."""

_LISTS: Final = ("passwords",)


class PasswordMistake(StrEnum):
    """Reason to refuse a password. Texts name it by `password.<value>`."""

    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    COMMON = "common"
    KNOWN_WORDS = "known-words"


def find_mistake(password: str, words: Iterable[str]) -> PasswordMistake | None:
    """Return why the password is refused, or None. `words`: names of campaign, ward and person."""
    if len(password) < SHORTEST:
        return PasswordMistake.TOO_SHORT
    if len(password) > LONGEST:
        return PasswordMistake.TOO_LONG
    if _is_common(password.casefold()):
        return PasswordMistake.COMMON
    if _is_made_of(password.casefold(), words):
        return PasswordMistake.KNOWN_WORDS
    return None


@cache
def common_passwords() -> frozenset[str]:
    """Return the common passwords that the library lists (more than 10,000)."""
    return frozenset(word for name in _LISTS for word in FREQUENCY_LISTS[name])


def _is_common(folded: str) -> bool:
    """Return True for a common password, also with decoration, repeated, or of one repeated pattern."""
    bare = re.sub(r"[\W\d_]+$|^[\W\d_]+", "", folded)
    return folded in common_passwords() or bare in common_passwords() or bare == "" or _is_repetition(folded)


def _is_repetition(folded: str) -> bool:
    """Return True if the text repeats one piece of at most half of the shortest password."""
    return any(folded.startswith((folded[:size] * len(folded))[: len(folded)]) for size in range(1, SHORTEST // 2 + 1))


def _is_made_of(folded: str, words: Iterable[str]) -> bool:
    """Return True if little is left of the password without the words, digits and signs."""
    parts = {part for word in words for part in re.split(r"[\W_]+", word.casefold()) if len(part) >= _min_size(part)}
    rest = folded
    for part in sorted(parts, key=len, reverse=True):
        rest = rest.replace(part, "")
    return rest != folded and len(re.sub(r"[\W\d_]+", "", rest)) < _LITTLE_ELSE


def _min_size(part: str) -> int:
    """Return the shortest size that counts: two characters for kanji and kana, four for letters."""
    return _WORD if part.isascii() else 2
