"""Hash and verify passwords with argon2id (RFC 9106), in threads, two at a time: each takes 64 MiB."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

COST: Final = {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 4}
"""Cost of a new hash: the second recommended choice (RFC 9106 §4), memory in KiB. The hash names its own."""

_AT_ONCE: Final = 2


class PasswordHashes:
    """Passwords are hashed exactly as typed, as UTF-8. Without a `hasher` at COST."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(COST["time_cost"], COST["memory_cost"], COST["parallelism"])
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._of_nobody = self._hasher.hash("a password that no account has")

    async def make(self, password: str) -> str:
        """Return the PHC string of a new password."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return True if the password has this hash. Without a hash it takes the same time and is False."""
        async with self._slots:
            matches = await asyncio.to_thread(self._matches, stored or self._of_nobody, password)
        return matches and stored is not None

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
