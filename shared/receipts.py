"""Make and read receipt numbers: short numbers that an applicant can read out over the telephone. Pure.

Source: `docs/protocols.md` §0. `W-7K3M-9Q2P-6` is the channel's letter, 8 symbols of Crockford base32 made from the
application id and the campaign's receipt key, and Crockford's check symbol (modulo 37) over those 8. Without the key,
which only intake has, a receipt number cannot be computed from an application id.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

from shared import crockford
from shared.contracts import Channel
from shared.ids import ApplicationId, Receipt, application_id_bytes

LETTERS: Final[dict[Channel, str]] = {"web": "W", "fax": "F", "post": "P"}
_SYMBOLS: Final = 8
_LAST_COUNTER: Final = 2**16


def candidates(receipt_key: bytes, channel: Channel, application_id: ApplicationId) -> Iterator[Receipt]:
    """Yield the numbers that this application may get, in order; intake takes the first that its campaign lacks.

    The symbols are the first 40 bits of HMAC-SHA-256(receipt key, 16 bytes of the id ‖ counter, 4 bytes big-endian),
    counter from 0. `receipt_key`: 32 random bytes of the campaign. A counter whose check symbol is one of `*~$=U` is
    skipped: those symbols are hard to read out.
    """
    identity = application_id_bytes(application_id)
    for counter in range(_LAST_COUNTER):
        digest = hmac.digest(receipt_key, identity + counter.to_bytes(4, "big"), hashlib.sha256)
        symbols = crockford.encode(digest, _SYMBOLS)
        check = crockford.check_character(symbols)
        if check in crockford.ALPHABET:
            yield _format(LETTERS[channel], symbols, check)


def normalise_receipt(text: str) -> Receipt:
    """Return a typed or dictated number in its one printed form.

    Any case, width, hyphen and blank is read; `O` is read as 0, `I` and `L` as 1. Raises ValueError, without the
    text, where the form or the check symbol is wrong.
    """
    symbols = crockford.normalise(text)
    letter, number, check = symbols[:1], symbols[1:-1], symbols[-1:]
    well_formed = letter in LETTERS.values() and len(number) == _SYMBOLS and set(number) <= set(crockford.ALPHABET)
    if not well_formed or crockford.check_character(number) != check:
        raise ValueError("not a receipt number: ask for it to be read out again")
    return _format(letter, number, check)


def _format(letter: str, symbols: str, check: str) -> Receipt:
    return Receipt(f"{letter}-{symbols[:4]}-{symbols[4:]}-{check}")
