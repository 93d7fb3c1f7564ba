"""The vault's signed statement of who signed in, for one service and one browser (docs/protocols.md §8). Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from shared.canonical import canonical
from shared.contracts import StaffIdField
from shared.encoding import b64url, unb64url
from shared.errors import KujiError
from shared.json_types import JsonObject
from shared.signing import SigningKey, verify_in_context
from shared.staff_roles import Role

CONTEXT: Final = "kuji/assertion/2"
_LONGEST: Final = 4096


class SignInRefusedError(KujiError):
    """Raised when an assertion does not sign anybody in; the text names the reason as a code."""


class _Document(BaseModel):
    """Members of the signed document; nothing else may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    v: int
    iss: str
    aud: str
    sub: StaffIdField
    roles: tuple[Role, ...]
    auth_time: AwareDatetime
    method: str
    nonce: str
    sid: str
    until: AwareDatetime
    key: str
    signature: str


@dataclass(frozen=True)
class Assertion:
    """`sub`: staff id. `auth_time`, `until`: begin and latest end of the vault's session, on the vault's clock."""

    aud: str
    sub: str
    roles: frozenset[Role]
    auth_time: datetime
    method: str
    nonce: str
    sid: str
    until: datetime


def write_assertion(signing: SigningKey, assertion: Assertion) -> str:
    """Return the text for the address: base64url of the signed document's canonical JSON."""
    document = {
        "v": 2,
        "iss": "vault",
        "aud": assertion.aud,
        "sub": assertion.sub,
        "roles": sorted(assertion.roles),
        "auth_time": assertion.auth_time.isoformat(),
        "method": assertion.method,
        "nonce": assertion.nonce,
        "sid": assertion.sid,
        "until": assertion.until.isoformat(),
    }
    return b64url(canonical(signing.sign_in_context(CONTEXT, document)))


def read_assertion(text: str, *, audience: str, public_keys: Iterable[str], now: datetime) -> Assertion:
    """Return the content of a valid assertion for `audience` by one of the keys. Raises SignInRefusedError.

    The caller still checks the nonce against its browser, and takes it once only.
    """
    document = _parse(text)
    if document.v != 2 or document.iss != "vault" or document.aud != audience:  # noqa: PLR2004  (the version)
        raise SignInRefusedError("another-service")
    if not any(_is_signed(public, text) for public in public_keys):
        raise SignInRefusedError("wrong-signature")
    if document.until <= now:
        raise SignInRefusedError("expired")
    return Assertion(
        document.aud, document.sub, frozenset(document.roles), document.auth_time, document.method,
        document.nonce, document.sid, document.until,
    )  # fmt: skip


def _parse(text: str) -> _Document:
    if len(text) > _LONGEST:
        raise SignInRefusedError("malformed")
    try:
        return _Document.model_validate_json(unb64url(text))
    except (ValueError, ValidationError):
        raise SignInRefusedError("malformed") from None


def _is_signed(public_key: str, text: str) -> bool:
    """Return True if the key signed the document; False also for a file that holds no key yet."""
    document: JsonObject = json.loads(unb64url(text))
    try:
        return verify_in_context(public_key, CONTEXT, document)
    except ValueError:
        return False
