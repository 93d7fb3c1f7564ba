"""Hash and verify passwords with argon2id (RFC 9106), in threads, two at a time of each kind: each takes 64 MiB.

The two kinds are attempts in places where the person signed in before, and all others: strangers, who have as many
names and addresses as they like, keep nobody waiting in a known place.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from services.vault.people.refusals import SignInRefusedError
from shared.logging import get_logger

_log = get_logger(__name__)

COST: Final = {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 4}
"""Cost of a new hash: the second recommended choice (RFC 9106 §4), memory in KiB. The hash names its own."""

_AT_ONCE: Final = 2
_MOST_WAITING: Final = 40
"""Attempts from unknown places that wait for their turn, a few seconds of work; one more is refused."""

_WAIT_S: Final = 10


class PasswordHashes:
    """Passwords are hashed exactly as typed, as UTF-8. Without a `hasher` at COST."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(COST["time_cost"], COST["memory_cost"], COST["parallelism"])
        self._slots, self._known_slots = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_AT_ONCE)
        self._unknown = 0
        self._of_nobody = self._hasher.hash("a password that no account has")

    async def make(self, password: str) -> str:
        """Return the PHC string of a new password."""
        async with self._known_slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str, *, is_known: bool = False) -> bool:
        """Return True if the password has this hash. Without a hash it takes the same time and is False.

        `is_known`: the attempt comes from where the person signed in before.
        """
        async with self._known_slots if is_known else self._slots:
            matches = await asyncio.to_thread(self._matches, stored or self._of_nobody, password)
        return matches and stored is not None

    @contextmanager
    def turn_of_unknown(self) -> Iterator[None]:
        """Stand in line for attempts from unknown places. Raises SignInRefusedError where too many stand there."""
        if self._unknown >= _AT_ONCE + _MOST_WAITING:
            _log.warning("sign-in-refused", reason="crowded")
            raise SignInRefusedError("too-many", retry_after_s=_WAIT_S)
        self._unknown += 1
        try:
            yield
        finally:
            self._unknown -= 1

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
