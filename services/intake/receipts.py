"""Receipt numbers: what an applicant can read out over the telephone. Pure.

Source: `docs/protocols.md` §0: `W-7K3M-9Q2P-X` is the channel's letter, 8 symbols of Crockford base32 made
from the application id, and Crockford's check symbol (modulo 37) over those 8.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from shared import crockford
from shared.contracts import Channel
from shared.ids import ApplicationId, Receipt, application_id_bytes

LETTERS: Final[dict[Channel, str]] = {"web": "W", "fax": "F", "post": "P"}
_SYMBOLS = 8
_LAST_COUNTER = 2**16
_SOUNDS_LIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


def candidates(channel: Channel, application_id: ApplicationId) -> Iterator[Receipt]:
    """The numbers this application may get, in order; who issues takes the first that is free in its campaign.

    The symbols are the first 40 bits of SHA-256(16 bytes of the id ‖ counter, 4 bytes big-endian), counter from 0.
    A counter whose check symbol is one of `*~$=U` is passed over: those are hard to read out.
    """
    identity = application_id_bytes(application_id)
    for counter in range(_LAST_COUNTER):
        digest = hashlib.sha256(identity + counter.to_bytes(4, "big")).digest()
        symbols = crockford.encode(digest, _SYMBOLS)
        check = crockford.check_character(symbols)
        if check in crockford.ALPHABET:
            yield _written(LETTERS[channel], symbols, check)


def read(text: str) -> Receipt:
    """A number as somebody said or typed it: any case, `O` for 0, `I` and `L` for 1, hyphens anywhere.

    Raises ValueError, without the text, where the check symbol shows that it was misheard.
    """
    plain = text.upper().translate(_SOUNDS_LIKE)
    letter, symbols, check = plain[:1], plain[1:-1], plain[-1:]
    well_formed = letter in LETTERS.values() and len(symbols) == _SYMBOLS and set(symbols) <= set(crockford.ALPHABET)
    if not well_formed or crockford.check_character(symbols) != check:
        raise ValueError("not a receipt number: ask for it to be read out again")
    return _written(letter, symbols, check)


def _written(letter: str, symbols: str, check: str) -> Receipt:
    return Receipt(f"{letter}-{symbols[:4]}-{symbols[4:]}-{check}")
