"""Nonces that bind a sign-in to one browser and ten minutes, without a record before their use. Pure but for chance.

nonce = base64url(r, 16 bytes ‖ t, 4 bytes ‖ first 16 bytes of HMAC-SHA-256(own key, r ‖ t ‖ SHA-256(browser cookie)))
(docs/protocols.md §8). `t` counts seconds since 1970 on the consumer's own clock.
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Final

from shared.encoding import b64url, unb64url

LIFE: Final = timedelta(minutes=10)
_RANDOM, _TIME, _TAG = 16, 4, 16
_FORM: Final = re.compile(r"[A-Za-z0-9_-]{48}")


def make_nonce(key: bytes, browser: str, at: datetime) -> str:
    """Return a nonce for the browser that holds this cookie."""
    head = secrets.token_bytes(_RANDOM) + int(at.timestamp()).to_bytes(_TIME, "big")
    return b64url(head + _tag(key, head, browser))


def is_nonce(text: str) -> bool:
    """Return True if the text has the form of a nonce; the vault passes on nothing else."""
    return _FORM.fullmatch(text) is not None


def is_fresh(key: bytes, browser: str, nonce: str, now: datetime) -> bool:
    """Return True if this service made the nonce for this browser at most ten minutes ago."""
    if not is_nonce(nonce):
        return False
    raw = unb64url(nonce)
    head, tag = raw[:-_TAG], raw[-_TAG:]
    age_s = int(now.timestamp()) - int.from_bytes(head[_RANDOM:], "big")
    return hmac.compare_digest(tag, _tag(key, head, browser)) and 0 <= age_s <= LIFE.total_seconds()


def _tag(key: bytes, head: bytes, browser: str) -> bytes:
    of_browser = hashlib.sha256(browser.encode("utf-8", "replace")).digest()
    return hmac.digest(key, head + of_browser, hashlib.sha256)[:_TAG]
