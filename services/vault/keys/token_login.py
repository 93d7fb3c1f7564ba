"""Log in to a PKCS#11 token. A wrong PIN is given once: three of them block many tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pkcs11
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import NoSuchToken, PinIncorrect, PinLocked, PKCS11Error
from pkcs11.mechanisms import Mechanism
from pkcs11.types import Session
from pkcs11.types import Token as PresentToken

from services.vault.keys.errors import TokenAwayError
from services.vault.keys.refused_pin import RefusedPin
from shared.errors import ConfigurationError

_DOUBTFUL: Final = TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_LOCKED
_LIST: Final = "correct KUJI_TOKEN_PIN_FILE, then run `vault-keys list`"


@dataclass(frozen=True)
class TokenPlace:
    """Where a token is. `allows_doubtful_pin`: give a PIN though the last one was wrong, as a person may."""

    module: Path
    label: str
    read_pin: Callable[[], str]
    refused: RefusedPin
    allows_doubtful_pin: bool = False


def log_in(place: TokenPlace) -> Session:
    """Return a new session that may use and make keys. Raises TokenAwayError; the text says what to do."""
    token = _find(place)
    if not place.allows_doubtful_pin and (token.flags & _DOUBTFUL or place.refused.stands()):
        text = f"the last PIN that was given to the token {place.label!r} was wrong; {_LIST}, which gives it once"
        raise TokenAwayError(text, "pin-doubtful")
    if Mechanism.AES_GCM not in token.slot.get_mechanisms():
        raise TokenAwayError(f"the token {place.label!r} offers no AES-GCM; use another one", "no-aes-gcm")
    stamp, pin = place.refused.stamp(), _pin(place)
    try:
        session = token.open(rw=True, user_pin=pin)
    except (PinIncorrect, PinLocked) as error:
        place.refused.note(stamp)
        text = f"the token {place.label!r} refuses the PIN ({type(error).__name__}); {_LIST}: the vault gives it no "
        raise TokenAwayError(text + "second time, so that the token is not blocked", "pin-refused") from None
    except PKCS11Error as error:
        text = f"the token {place.label!r} opens no session ({type(error).__name__}); see what else uses it"
        raise TokenAwayError(text, "no-session") from None
    place.refused.clear()
    return session


def _find(place: TokenPlace) -> PresentToken:
    """Return the token as it is now: a library keeps the slots and objects that it saw first, so it is started anew."""
    try:
        library = pkcs11.lib(str(place.module))
        library.reinitialize()
        return library.get_token(token_label=place.label)
    except NoSuchToken:
        text = f"no token {place.label!r} answers; plug it in or start it, or give its label (KUJI_TOKEN_LABEL)"
        raise TokenAwayError(text, "no-token") from None
    except PKCS11Error as error:
        text = (
            f"the token cannot be asked ({type(error).__name__}); see that KUJI_TOKEN_MODULE names its PKCS#11 library"
        )
        raise TokenAwayError(f"{text} and that this user may use it", "module") from None


def _pin(place: TokenPlace) -> str:
    text = "KUJI_TOKEN_PIN_FILE is empty; write the token's PIN into it"
    try:
        pin = place.read_pin()
    except ConfigurationError as error:
        pin, text = "", str(error)
    if not pin:
        raise TokenAwayError(text, "pin-unreadable")
    return pin
