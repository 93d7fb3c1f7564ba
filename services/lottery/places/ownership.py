"""Proof that a caller owns places: receipt number and code of the notice.

The code is 80 bits of HMAC and cannot be guessed; a rate limit stops attempts. The answer and its time are the same for
an unknown receipt number, a number without a place, and a wrong code.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.places.repository import PlaceRepository
from services.lottery.slips import SlipSigner
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId, DrawId, Receipt
from shared import crockford
from shared.receipts import normalise_receipt
from shared.storage import Store

_NO_APPLICATION: Final = ApplicationId("00000000-0000-4000-8000-000000000000")
_CODE_SYMBOLS: Final = 16

WINDOW_S: Final = 600
_ATTEMPTS: Final = 10
"""Wrong codes for one receipt number within the window."""

_MAX_NUMBERS: Final = 10_000
"""Most receipt numbers whose wrong codes are counted (memory). A new number replaces one with few wrong codes."""


class WrongCodeError(KujiError):
    """Raised when receipt number and code do not belong together, or there is no place."""


class TooManyAttemptsError(KujiError):
    """Raised after too many wrong codes for a receipt number; try again after `WINDOW_S` seconds."""


@dataclass(frozen=True)
class PlaceOwner:
    """Application whose ownership was proved."""

    application_id: ApplicationId
    receipt: Receipt
    draw: DrawId


class AttemptLimit:
    """Counts wrong codes by receipt number, existing or not, in this process."""

    def __init__(self, window_s: int = WINDOW_S) -> None:
        self._limit = RateLimitItemPerSecond(_ATTEMPTS, window_s)
        self.forget()

    def forget(self) -> None:
        """Forget all wrong codes."""
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._since = datetime.now(UTC)

    def records_before(self, at: datetime) -> int:
        """Return the number of receipt numbers with wrong codes that may be from before `at` (machine's clock)."""
        return len(self._storage.events) if self._since < at else 0

    async def check(self, receipt: str) -> None:
        """Raise TooManyAttemptsError if the limit of this receipt number is reached."""
        if not await self._limiter.test(self._limit, receipt):
            raise TooManyAttemptsError("too many wrong codes")

    async def count_wrong(self, receipt: str) -> None:
        """Count a wrong code."""
        if len(self._storage.events) >= _MAX_NUMBERS:
            await self._storage.clear(self._fewest())
        await self._limiter.hit(self._limit, receipt)

    def _fewest(self) -> str:
        """Return the key with the fewest wrong codes, the oldest of them: a flood of numbers replaces itself."""
        events = self._storage.events
        return min(events, key=lambda key: len(events[key]))


class Ownership:
    """Proves who owns places."""

    def __init__(self, store: Store, signer: SlipSigner, limit: AttemptLimit) -> None:
        self._store, self._signer, self._limit = store, signer, limit

    async def prove(self, campaign: CampaignId, receipt: str, code: str) -> PlaceOwner:
        """Return the owner of receipt number and code.

        Raises WrongCodeError, TooManyAttemptsError; WrongStateError before publication and after a request for erasure.
        """
        draw = await DrawRepository(self._store).get(campaign)
        if draw.state is not DrawState.PUBLISHED or draw.is_erasing:
            raise WrongStateError(draw.state)
        try:
            number = normalise_receipt(receipt)
        except ValueError:
            raise WrongCodeError("no such receipt number and code") from None
        await self._limit.check(number)
        application = await PlaceRepository(self._store).find_application(draw.id, number)
        right = self._signer.code(campaign, draw.id, application or _NO_APPLICATION)
        if not hmac.compare_digest(right.encode(), normalise_code(code).encode()) or application is None:
            await self._limit.count_wrong(number)
            raise WrongCodeError("no such receipt number and code")
        return PlaceOwner(application, number, draw.id)


def normalise_code(text: str) -> str:
    """Return a typed code in its printed form, cut to its length; any text gives something that can be compared."""
    alphanumeric = (symbol for symbol in crockford.normalise(text) if symbol.isascii() and symbol.isalnum())
    symbols = "".join(alphanumeric)[: _CODE_SYMBOLS + 1]
    return "-".join(symbols[at : at + 4] for at in range(0, len(symbols), 4))
