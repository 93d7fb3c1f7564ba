"""Sessions of staff: a signed cookie that says who signed in and until when; nothing is kept on the server.

The key is derived from the secret that opened the session, so that changing the secret ends every session. Pure.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.encoding import b64url

COOKIE: Final = "kuji-session"
LIFE: Final = timedelta(hours=8)
"""A working day: no session lasts over night."""

_ACTOR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FORM: Final = re.compile(r"1~([A-Za-z0-9][A-Za-z0-9._-]{0,63})~([0-9]{1,12})~([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Session:
    """`actor`: the handler's id, as the person typed it at sign-in."""

    actor: str
    ends: datetime


def is_actor(text: str) -> bool:
    """Return True if this can be a handler's id: letters, digits, dot, hyphen, underline."""
    return _ACTOR.fullmatch(text) is not None


def write_session(secret: str, session: Session) -> str:
    """Return the cookie's value."""
    content = f"1~{session.actor}~{int(session.ends.timestamp())}"
    return f"{content}~{_tag(secret, content)}"


def read_session(secret: str, text: str, now: datetime) -> Session | None:
    """Return the session of a cookie; None where it was not written with this secret or has ended."""
    matched = _FORM.fullmatch(text)
    if matched is None or not hmac.compare_digest(_tag(secret, text.rpartition("~")[0]), matched[3]):
        return None
    ends = datetime.fromtimestamp(int(matched[2]), now.tzinfo)
    return Session(matched[1], ends) if now < ends else None


def _tag(secret: str, content: str) -> str:
    key = hmac.digest(secret.encode(), b"kuji/session/1", hashlib.sha256)
    return b64url(hmac.digest(key, content.encode("ascii"), hashlib.sha256))
