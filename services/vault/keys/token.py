"""The seam of a PKCS#11 token (OASIS PKCS #11 2.40): AES-256 keys that are made in it, never leave it, and die in it.

`python-pkcs11` is optional: `access.py` imports this module only where a token is set.
"""

import secrets
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final, Protocol, TypedDict, TypeVar, cast

from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.exceptions import PKCS11Error
from pkcs11.mechanisms import GCMParams, KeyType, Mechanism
from pkcs11.types import Object, Session

from services.vault.keys.ciphers.envelope import NotDecryptableError
from services.vault.keys.errors import TokenAwayError, TokenKeyGoneError
from services.vault.keys.token_login import TokenPlace, log_in
from shared.logging import get_logger

_log = get_logger(__name__)

T = TypeVar("T")

CHECK_S: Final = 1.0
"""Seconds for which an answer of the token holds: a look costs milliseconds."""

_NONCE: Final = 12
_NEVER_LEAVES: Final = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.MODIFIABLE: False,
}


class _AesKey(Protocol):
    """Key object of the library, which puts its operations together at run time."""

    encrypt: Callable[..., bytes]
    decrypt: Callable[..., bytes]


class _Gcm(TypedDict):
    mechanism: Mechanism
    mechanism_param: GCMParams


class _CipherRefusedError(Exception):
    """Raised when a key that is there does not decrypt; modules give different codes for a wrong tag."""


class Token:
    """One token, used by one process; others may use it at the same time. Safe for several threads."""

    def __init__(self, place: TokenPlace) -> None:
        self._place, self.label = place, place.label
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._seen: tuple[str, float] | None = None
        self._away: tuple[TokenAwayError, float] | None = None

    def generate(self, group: str) -> str:
        """Make a key that cannot be taken out, and return its id."""

        def make(session: Session) -> str:
            key = secrets.token_bytes(16)  # for each attempt: one that failed may have made a key all the same
            session.generate_key(
                KeyType.AES,
                256,
                id=key,
                label=_label(group),
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template=dict(_NEVER_LEAVES),
            )
            return key.hex()

        return self._run(make)

    def encrypt(self, key: str, plaintext: bytes, bound_to: str) -> bytes:
        """Return nonce ‖ ciphertext ‖ tag, as `ciphers/envelope.py` does. Raises TokenKeyGoneError."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._run(lambda session: _key(session, key).encrypt(plaintext, **_gcm(nonce, bound_to)))

    def decrypt(self, key: str, data: bytes, bound_to: str) -> bytearray:
        """Open what `encrypt` returned. Raises TokenKeyGoneError, NotDecryptableError."""

        def opened(session: Session) -> bytearray:
            found = _key(session, key)
            try:
                return bytearray(found.decrypt(data[_NONCE:], **_gcm(data[:_NONCE], bound_to)))
            except PKCS11Error as error:
                raise _CipherRefusedError from error

        return self._run(opened)

    def destroy(self, key: str) -> None:
        """Destroy a key; do nothing where it is gone already. A session of before would show a lost token as empty."""

        def end(session: Session) -> None:
            for found in _find(session, {Attribute.ID: bytes.fromhex(key)}):
                found.destroy()

        self._run(end, anew=True)

    def destroy_others(self, group: str, keep: Collection[str]) -> None:
        """Destroy all keys of a group but these."""

        def end(session: Session) -> None:
            for found in _find(session, {Attribute.LABEL: _label(group)}):
                if bytes(found[Attribute.ID]).hex() not in keep:
                    found.destroy()

        self._run(end, anew=True)

    def check(self, key: str) -> None:
        """Raise TokenAwayError where the token does not answer or lacks the key."""
        if self._seen is not None and self._seen[0] == key and time.monotonic() - self._seen[1] < CHECK_S:
            return
        try:
            self._run(lambda session: _key(session, key))
        except TokenKeyGoneError:
            raise TokenAwayError(
                f"the token {self.label!r} has no root key of this key folder: it was destroyed there, so that an "
                "older copy of the folder opens no more, or it lies in another token (KUJI_TOKEN_LABEL)",
                "no-root-key",
            ) from None
        self._seen = key, time.monotonic()

    def leave(self) -> None:
        """Log out; the next use logs in anew. Work that is under way keeps its session."""
        if self._lock.acquire(blocking=False):
            try:
                self._seen = None
                self._leave()
            finally:
                self._lock.release()

    def _run(self, work: Callable[[Session], T], *, anew: bool = False) -> T:
        """Run `work`; where it fails in a session of before, once more in a new one: the token may be back."""
        with self._lock:
            if self._session is not None and not anew:
                with suppress(PKCS11Error, TokenKeyGoneError, _CipherRefusedError):
                    return work(self._session)
            session = self._connect()
            try:
                return work(session)
            except _CipherRefusedError:
                raise NotDecryptableError("a record does not open with this key of the token") from None
            except PKCS11Error as error:
                text = (
                    f"the token {self.label!r} failed ({type(error).__name__}); see that it is plugged in and has room"
                )
                raise self._noted(TokenAwayError(text, "failed")) from None

    def _connect(self) -> Session:
        """Log in anew. Raises TokenAwayError; a token that was away is asked once a second."""
        if self._away is not None and time.monotonic() - self._away[1] < CHECK_S:
            raise TokenAwayError(str(self._away[0]), self._away[0].reason)
        self._leave()
        try:
            self._session = log_in(self._place)
        except TokenAwayError as error:
            raise self._noted(error) from None
        if self._away is not None:
            _log.info("token-back")
        self._away = None
        return self._session

    def _noted(self, error: TokenAwayError) -> TokenAwayError:
        if self._away is None or self._away[0].reason != error.reason:
            _log.error("token-away", reason=error.reason)
        self._away = error, time.monotonic()
        self._seen = None
        self._leave()
        return error

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(PKCS11Error):
                session.close()


def _label(group: str) -> str:
    return f"kuji {group}"


def _gcm(nonce: bytes, bound_to: str) -> _Gcm:
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(nonce, bound_to.encode(), 128)}


def _find(session: Session, wanted: dict[Attribute, Any]) -> list[Object]:
    return list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, **wanted}))


def _key(session: Session, key: str) -> _AesKey:
    for found in _find(session, {Attribute.ID: bytes.fromhex(key)}):
        return cast("_AesKey", found)
    raise TokenKeyGoneError("the token no longer has the key of this file: it was destroyed")
