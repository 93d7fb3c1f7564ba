"""Limits of signing in by password: guessing is slow everywhere, and locks nobody out of a place that is known.

Known are browsers (by their device cookie) and addresses from which the person signed in before. Counts are in
memory of this process.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from services.vault.people.refusals import SignInRefusedError
from shared.logging import get_logger
from shared.web.attempts import AttemptLimit

_WINDOW_S: Final = 15 * 60
_BY_ACCOUNT: Final = 10
"""Attempts on one account from one address, in browsers in which the person never signed in."""
_BY_NAME: Final = 25
"""Wrong attempts on one account from all addresses together; beyond it only known places go on. So many addresses help
nobody to guess (2,400 passwords a day), and a stranger who uses it up keeps the person out of new places only."""
_BY_PASSWORD: Final = 10
"""Wrong codes for one account with its right password, in unknown browsers, from all addresses: nobody can use these up
who does not know the password. Without this limit six digits could be guessed from many addresses."""
_BY_DEVICE: Final = 10
"""Attempts on one account from one browser in which the person signed in before: strangers do not use these up."""
_BY_ADDRESS: Final = 60

_log = get_logger(__name__)


@dataclass(frozen=True, repr=False)
class Place:
    """Where an attempt comes from. `device`: hash of a known browser's cookie, or None."""

    staff_id: str
    address: str
    device: str | None
    is_known_address: bool

    @property
    def is_known_browser(self) -> bool:
        return self.device is not None

    @property
    def is_known(self) -> bool:
        """Return True if the person signed in before in this browser or from this address."""
        return self.is_known_browser or self.is_known_address


@dataclass
class Outcome:
    """Result of an attempt: wrong until its owner says that it was right."""

    is_right: bool = False


class SignInLimits:
    """Counts of one process."""

    def __init__(self) -> None:
        self._by_account, self._by_device = AttemptLimit(_BY_ACCOUNT, _WINDOW_S), AttemptLimit(_BY_DEVICE, _WINDOW_S)
        self._by_address, self._by_name = AttemptLimit(_BY_ADDRESS, _WINDOW_S), AttemptLimit(_BY_NAME, _WINDOW_S)
        self._by_password = AttemptLimit(_BY_PASSWORD, _WINDOW_S)

    @asynccontextmanager
    async def attempt(self, place: Place) -> AsyncIterator[Outcome]:
        """Count an attempt, which takes place inside the context. Raises SignInRefusedError for one too many."""
        name, outcome = place.staff_id[:64], Outcome()
        if place.is_known_browser:
            await self._take(self._by_device, f"{name} {place.device}")
        else:
            await self._take(self._by_address, place.address)
            await self._take(self._by_account, f"{name} {place.address}")
        if place.is_known:
            yield outcome
            return
        if not await self._by_name.begin(name):
            raise await self._refusal(self._by_name, name)
        try:
            yield outcome
        finally:
            await self._by_name.end(name, failed=not outcome.is_right)

    @asynccontextmanager
    async def code(self, place: Place) -> AsyncIterator[Outcome | None]:
        """Count a try of a code beside a right password; None where there were too many wrong ones.

        The caller answers as to a wrong one: another answer would tell that the password is right.
        """
        if place.is_known_browser:
            yield Outcome()
        elif not await self._by_password.begin(place.staff_id):
            _log.warning("sign-in-refused", reason="too-many-codes")
            yield None
        else:
            outcome = Outcome()
            try:
                yield outcome
            finally:
                await self._by_password.end(place.staff_id, failed=not outcome.is_right)

    async def _take(self, limit: AttemptLimit, key: str) -> None:
        if not await limit.take(key):
            raise await self._refusal(limit, key)

    async def _refusal(self, limit: AttemptLimit, key: str) -> SignInRefusedError:
        _log.warning("sign-in-refused", reason="too-many")
        return SignInRefusedError("too-many", retry_after_s=math.ceil(await limit.wait_s(key)))
