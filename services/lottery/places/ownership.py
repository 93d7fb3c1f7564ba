"""Who may decide about a place by themselves: whoever shows the receipt number and the code of the notice.

The code is 80 bits of HMAC, so it cannot be guessed; the limits are there so that nobody tries. The answer is the same,
and takes the same time, whether there is no such receipt, no place, or another code.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.places.notices import Passes
from services.lottery.places.repository import PLACES
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId, DrawId, Receipt
from shared.receipts import normalise_receipt, normalise_symbols
from shared.storage import Store

_NOBODY: Final = ApplicationId("00000000-0000-4000-8000-000000000000")
_CODE_SYMBOLS: Final = 16

WINDOW_S: Final = 600.0
_TRIES: Final = 10
"""Wrong codes for one receipt number within the window."""

_MOST_NUMBERS: Final = 10_000
"""Receipt numbers whose wrong codes are remembered: memory has an end, and nobody is shut out by what others type."""


class NotYours(KujiError):  # noqa: N818  (says what is the case)
    """Receipt number and code do not belong together, or nothing belongs to them."""


class TooManyTries(KujiError):  # noqa: N818  (says what is the case)
    """Too many wrong codes; later again."""


@dataclass(frozen=True)
class Own:
    """Whose places these are, proved."""

    application_id: ApplicationId
    receipt: Receipt
    draw: DrawId


@dataclass
class Tries:
    """Wrong codes by receipt number, whether or not there is such a number. Of this process; `clock` in seconds."""

    clock: Callable[[], float]
    _at: dict[str, list[float]] = field(default_factory=dict)

    def check(self, receipt: str) -> None:
        """Raises TooManyTries."""
        since = self.clock() - WINDOW_S
        if len([at for at in self._at.get(receipt, ()) if at > since]) >= _TRIES:
            raise TooManyTries("too many wrong codes")

    def wrong(self, receipt: str) -> None:
        self._at[receipt] = [*self._at.pop(receipt, [])[1 - _TRIES :], self.clock()]
        if len(self._at) > _MOST_NUMBERS:
            del self._at[next(iter(self._at))]


class Owners:
    def __init__(self, store: Store, passes: Passes, tries: Tries) -> None:
        self._store, self._passes, self._tries = store, passes, tries

    async def prove(self, campaign: CampaignId, receipt: str, code: str) -> Own:
        """Whose they are. Raises NotYours, TooManyTries; WrongStateError before results are out or after erasure."""
        draw = await DrawRepository(self._store).get(campaign)
        if draw.state is not DrawState.PUBLISHED or draw.is_erasing:
            raise WrongStateError(draw.state)
        try:
            spelled = normalise_receipt(receipt)
        except ValueError:
            raise NotYours("no such receipt number and code") from None
        self._tries.check(spelled)
        place = await self._store.db[PLACES].find_one({"draw": draw.id, "receipt": spelled})
        name = ApplicationId(place["application_id"]) if place else _NOBODY
        right = self._passes.code(campaign, draw.id, name)
        if not hmac.compare_digest(right.encode(), normalise_code(code).encode()) or place is None:
            self._tries.wrong(spelled)
            raise NotYours("no such receipt number and code")
        return Own(name, spelled, draw.id)


def normalise_code(text: str) -> str:
    """Return a typed code in its printed form, cut to its length; any text gives something that can be compared."""
    symbols = "".join(each for each in normalise_symbols(text) if each.isascii() and each.isalnum())[
        : _CODE_SYMBOLS + 1
    ]
    return "-".join(symbols[at : at + 4] for at in range(0, len(symbols), 4))
